//! What strangers try, against the whole platform through its real edge: every case is a
//! row with what was sent, expected and got, and the platform must come through unharmed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod addresses;
mod arena;
mod assignment;
mod bodies;
mod headers;
mod injection;
mod limits;
mod paths;
mod raw;
mod smuggling;
mod table;
mod tls;
mod tokens;
mod webhooks;
