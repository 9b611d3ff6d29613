//! Makes a customer's journey every minute, and tells whether it worked.

pub mod config;

pub mod app;

pub mod figures;
pub mod journey;
pub mod shop;
