//! The notifications service against a real database, broker and SMTP dialogue,
//! called over mTLS.

#![allow(clippy::unwrap_used)]

mod api;
mod dead_letters;
mod delivery;
mod facts;
mod released;
mod smtp;
mod world;
