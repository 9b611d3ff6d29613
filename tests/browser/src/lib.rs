//! What a real browser is shown: a platform with its console, under traffic, and the
//! browser itself.

// It serves tests: what is wrong here ends them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod people;
pub mod shop;
pub mod spec;
pub mod traffic;
