//! The real thing through the real edge: every process, every store, one stack
//! for all tests of this program.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod accounts;
mod catalogue;
mod collector;
mod crashes;
mod docs;
mod forgetting;
mod journey;
mod keys;
mod matrix;
mod oidc;
mod orders;
mod parity;
mod platform;
mod redaction;
mod refusals;
mod rolling;
mod rotation;
mod schemathesis;
mod seeding;
mod stoactl;
mod trace;
mod typescript;
mod workloads;

use e2e::{client, dynamic};
