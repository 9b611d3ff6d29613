//! Products, categories and prices.

pub mod config;

pub mod app;

pub mod domain;

pub mod core;

pub mod api;

pub mod infrastructure;

/// The schema of this service's database.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();
