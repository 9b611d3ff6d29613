//! Accounts, credentials, roles and tokens.

pub mod config;

pub mod app;

pub mod domain;

pub mod core;

pub mod api;

pub mod web;

pub mod infrastructure;

/// The service's own schema.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();
