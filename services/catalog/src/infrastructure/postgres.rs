//! Everything that this service keeps in PostgreSQL.

mod categories;
mod list;
mod products;

pub use categories::PostgresCategories;
pub use products::PostgresProducts;

use crate::core::Error;

/// A database error that no use case knows: either it passes or it is our fault.
fn failed(error: sqlx::Error) -> Error {
    use sqlx::Error as E;
    let passes = match &error {
        E::Io(_) | E::Tls(_) | E::Protocol(_) | E::PoolTimedOut | E::PoolClosed => true,
        // Classes 08, 53 and 57: connection, resources, operator intervention.
        E::Database(error) => error
            .code()
            .is_some_and(|c| ["08", "53", "57"].iter().any(|class| c.starts_with(class))),
        _ => false,
    };
    if passes { Error::unavailable(error) } else { Error::internal(error) }
}

/// A database error of a change; constraints become business errors.
fn refused(error: sqlx::Error) -> Error {
    match error.as_database_error().and_then(|e| e.constraint()) {
        Some("products_sku_key") => Error::SkuTaken,
        Some("products_category_fkey") => Error::CategoryUnknown,
        _ => failed(error),
    }
}
