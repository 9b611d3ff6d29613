//! The real thing through the real edge: every process, every store, one stack
//! for all tests of this program.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod accounts;
mod catalogue;
mod client;
mod crashes;
mod docs;
mod journey;
mod orders;
mod parity;
mod platform;
mod refusals;
mod schemathesis;
mod typescript;
mod workloads;
