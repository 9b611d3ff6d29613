//! The outside world: PostgreSQL and the payment provider.

pub mod postgres;
pub mod sandbox;
