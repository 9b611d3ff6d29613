//! The sandbox against a real PostgreSQL and a client that takes its webhooks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod bank;
mod books;
mod charges;
mod webhooks;
