//! Calls between services, over real connections.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod breaker;
mod callee;
mod drain;
mod overload;
mod retries;
