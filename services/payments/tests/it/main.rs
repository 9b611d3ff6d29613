//! Payments against a real PostgreSQL, a real broker and the real sandbox provider,
//! whose webhooks come in as they would through the edge.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod authorize;
mod capture;
mod door;
mod refund;
mod reverse;
mod road;
mod stripe;
mod stripe_double;
mod view;
mod webhooks;
mod world;
