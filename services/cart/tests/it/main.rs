//! The cart service on a real Redis, called over mTLS.

#![allow(clippy::unwrap_used)]

mod catalog;
mod checkout;
mod customer;
mod erasing;
mod shop;
