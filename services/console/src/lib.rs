//! One page for the person on call: who calls whom and how well, the latest traces,
//! orders on their way, queues, promises, processes.
//!
//! Traces come in by OTLP and are kept in bounded memory; figures are asked of
//! Prometheus; what should be there is in the contract. Nothing is stored, nothing can
//! be changed, and nobody but this machine is answered unless a setting says so.

pub mod config;

pub mod app;

pub mod domain;

pub mod core;

pub mod api;

pub mod infrastructure;
