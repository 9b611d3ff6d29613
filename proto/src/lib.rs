//! The wire contract as Rust: messages, services, and the law of every method.
//!
//! Everything below `gen/` is made by `cargo xtask gen` from the `.proto` files.

pub mod codec;
pub mod fact;
pub mod policy;
pub mod rest;
pub mod validate;

mod redaction {
    include!("gen/redaction.rs");
}

mod packages {
    #![allow(clippy::all, clippy::unwrap_used, rustdoc::all)]
    include!("gen/packages.rs");
}

pub use fact::{Fact, FactInfo};
pub use packages::google;
use packages::stoa;
pub use packages::stoa::*;

/// Every descriptor with its comments, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/descriptor.binpb");

/// `ErrorInfo.domain` of every error the platform answers.
pub const ERROR_DOMAIN: &str = "stoa";
