//! The identity service against a real database and broker, called over mTLS.

#![allow(clippy::unwrap_used)]

mod accounts;
mod admins;
mod facts;
mod keys;
mod sessions;
mod tokens;
mod world;
