//! Starts the whole platform on one Debian machine, as real processes.
//!
//! [`Stack`] is everything: stores, services, edge. [`Stores`] is PostgreSQL,
//! RabbitMQ and Redis alone, for the tests of the service crates. Both keep
//! all that they write under one directory and end what they started.

mod addresses;
mod console;
mod debian;
mod edge;
mod fleet;
mod install;
mod layout;
mod npm;
mod observe;
mod options;
mod pki;
mod postgres;
mod probe;
mod process;
mod progress;
mod rabbitmq;
mod redis;
mod relocate;
mod seed;
mod services;
mod smtp;
mod store_tls;
mod stores;
mod synthetic;
mod viewer;
mod watchdog;
mod whole;

pub use debian::program as debian_program;
pub use install::{
    api_testers, cache as cache_dir, chromium, envoy, packages as install_packages,
    python_programs, secret_scanner,
};
pub use layout::Layout;
pub use npm::{install as install_npm, locked as install_locked_npm, program as npm};
pub use options::{Detour, Options, Ports, SERVICES};
pub use pki::keep_certificates;
pub use process::{Record, all_running, running};
pub use progress::{Progress, Quiet, Terminal};
pub use stores::Stores;
pub use whole::{Stack, clean, down};
