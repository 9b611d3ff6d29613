//! What Istio and the network let through, compared with what the contract allows.
#![allow(clippy::unwrap_used)]

mod authorization;
mod conventions;
mod documents;
mod network;
mod traffic;
