//! Stock and reservations.

pub mod reservation;
pub mod retention;
pub mod stock;

pub use reservation::{Move, Shortage, State, Wanted, merge, shortages};
pub use retention::Retention;
pub use stock::{Adjustment, Level, Stock, falls_low};
