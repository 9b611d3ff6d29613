//! PostgreSQL.

mod postgres;

pub use postgres::{PostgresReservations, PostgresStock};
