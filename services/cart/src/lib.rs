//! Shopping carts: what a user means to buy, priced by the catalogue of the moment.

pub mod config;

pub mod app;

pub mod domain;

pub mod core;

pub mod api;

pub mod infrastructure;
