//! The whole service in process, over mutual TLS, on real stores.

#![allow(clippy::unwrap_used)]

mod access;
mod create;
mod facts;
mod list;
mod search;
mod update;
mod world;
