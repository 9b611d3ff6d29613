//! What is installed in a cluster: rendered as kustomize does it, and checked as a whole.

mod check;
mod kustomize;
mod object;

pub use check::{Check, all};
pub use kustomize::render;
pub use object::{Object, Objects};

/// The overlays that are installed somewhere.
pub const OVERLAYS: [&str; 3] = ["local", "staging", "production"];
