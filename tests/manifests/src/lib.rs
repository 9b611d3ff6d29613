//! What is installed in a cluster: rendered as kustomize does it, and checked as a whole.

pub mod chart;
mod check;
mod kustomize;
mod object;

pub use check::{BY_HAND, ByHand, Check, all};
pub use kustomize::{render, render_with};
pub use object::{Object, Objects};

/// The overlays that are installed somewhere.
pub const OVERLAYS: [&str; 5] = ["local", "staging", "production", "google", "self-hosted"];
