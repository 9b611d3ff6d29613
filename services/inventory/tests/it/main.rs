//! The whole service in process, over mutual TLS, on real stores.

#![allow(clippy::unwrap_used)]

mod access;
mod adjust;
mod conservation;
mod crowd;
mod expiry;
mod facts;
mod purge;
mod reserve;
mod world;
