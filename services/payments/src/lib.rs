//! Payments: money set aside, taken and given back through a payment provider,
//! and the ledger of it.

pub mod app;
pub mod config;

pub mod domain;

pub mod core;

pub mod api;
pub mod infrastructure;

/// The service's own tables.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();
