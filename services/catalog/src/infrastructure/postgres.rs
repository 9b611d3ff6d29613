//! Everything that this service keeps in PostgreSQL.

mod categories;
mod list;
mod products;

pub use categories::PostgresCategories;
pub use products::PostgresProducts;

use crate::core::Error;

/// A database error that no use case knows: either it passes or it is our fault.
fn failed(error: sqlx::Error) -> Error {
    if postgres::is_outage(&error) { Error::unavailable(error) } else { Error::internal(error) }
}

/// A database error of a change; constraints become business errors.
fn refused(error: sqlx::Error) -> Error {
    match error.as_database_error().and_then(|e| e.constraint()) {
        Some("products_sku_key") => Error::SkuTaken,
        Some("products_category_fkey") => Error::CategoryUnknown,
        _ => failed(error),
    }
}
