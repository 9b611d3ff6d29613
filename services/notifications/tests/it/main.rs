//! The notifications service against a real database, broker and SMTP dialogue,
//! called over mTLS.

#![allow(clippy::unwrap_used)]

mod api;
mod dead_letters;
mod delivery;
mod erasing;
mod facts;
mod identity;
mod released;
mod security;
mod smtp;
mod world;
