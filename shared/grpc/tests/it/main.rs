//! Calls between services, over real connections.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod breaker;
mod callee;
mod drain;
mod envoy;
mod logs;
mod measured;
mod mesh;
mod overload;
mod pki;
mod retries;
mod revocations;
mod rotation;
mod sidecar;
