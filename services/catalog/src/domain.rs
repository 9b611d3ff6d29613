//! What is sold, and how it is looked for.

pub mod listing;
pub mod product;

pub use listing::{Filter, Listing, Position, Sort, SortKey};
pub use product::{Category, Details, Draft, Patch, Product, Violation};
