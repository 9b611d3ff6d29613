//! Payments against a real PostgreSQL, a real broker and the real sandbox provider,
//! whose webhooks come in as they would through the edge.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod authorize;
mod bank;
mod books;
mod capture;
mod door;
mod erasing;
mod forgotten;
mod hammer;
mod ledger;
mod matrix;
mod page;
mod purge;
mod reconcile;
mod refund;
mod reverse;
mod road;
mod stripe;
mod stripe_double;
mod view;
mod webhooks;
mod widening;
mod world;
