//! The outside world: PostgreSQL and the payment providers.

pub mod http;
pub mod postgres;
pub mod sandbox;
mod signature;
pub mod stripe;
