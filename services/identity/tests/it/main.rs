//! The identity service against a real database and broker, called over mTLS.

#![allow(clippy::unwrap_used)]

mod accounts;
mod addresses;
mod admins;
mod audit;
mod closing;
mod erasures;
mod facts;
mod guesses;
mod keys;
mod mails;
mod passwords;
mod revocations;
mod roles;
mod rotation;
mod second_factor;
mod sessions;
mod tokens;
mod world;
