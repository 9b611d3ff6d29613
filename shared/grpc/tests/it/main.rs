//! Calls between services, over real connections.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod breaker;
mod callee;
mod drain;
mod envoy;
mod logs;
mod mesh;
mod overload;
mod pki;
mod retries;
mod rotation;
mod sidecar;
