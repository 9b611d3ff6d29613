//! PostgreSQL.

mod postgres;

pub use postgres::{PostgresCategories, PostgresProducts};
