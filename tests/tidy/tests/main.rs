//! The rules of the house: seconds to check, and each failure names the place.

#![allow(clippy::unwrap_used)]

mod contract_rules;
mod errors;
mod layers;
mod manifests;
mod migrations;
mod released;
mod runbooks;
mod secrets;
mod sizes;
mod threats;
mod tree;
