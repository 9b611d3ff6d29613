//! What tests of the whole platform share: a platform of their own, its customers, calls
//! of any method, tokens and connections into the mesh.

// It serves tests: what is wrong here ends them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod client;
pub mod dynamic;
pub mod mesh;
pub mod platform;
pub mod signer;
pub mod world;

use std::path::Path;
use std::sync::LazyLock;

use contract::Contract;

/// The contract of this checkout.
pub static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
    contract::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).expect("the contract")
});
