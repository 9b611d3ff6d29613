//! A payment provider of our own, with test tokens that decline, time out and
//! require action, and with signed webhooks. It speaks HTTP as providers do and
//! knows nothing of the platform.

pub mod app;
pub mod config;

pub mod charge;
pub mod token;

pub mod api;
pub mod books;
pub mod courier;
pub mod purge;
pub mod signature;
pub mod store;

/// The sandbox's own tables.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();
