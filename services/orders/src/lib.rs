//! Orders and their checkout: a durable saga over cart, catalogue, stock and payments.

pub mod config;

pub mod app;

pub mod domain;

pub mod core;

pub mod api;

pub mod infrastructure;

/// The service's own schema.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();
