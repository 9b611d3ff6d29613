//! What carts need from other systems.

use async_trait::async_trait;
use uuid::Uuid;

use super::Error;
use crate::domain::{Line, Product};

/// What became of an addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    Done,
    CartFull,
    QuantityTooLarge,
}

/// Where carts are kept. Every method is atomic.
#[async_trait]
pub trait CartStore: Send + Sync {
    /// By the time they were first added.
    async fn lines(&self, user: Uuid) -> Result<Vec<Line>, Error>;

    /// Adds pieces, within the limits of a cart.
    async fn add(&self, user: Uuid, line: Line) -> Result<Added, Error>;

    /// Sets the quantity of a product that is in the cart; 0 takes it out.
    /// Answers whether it was in.
    async fn set(&self, user: Uuid, line: Line) -> Result<bool, Error>;

    /// Takes everything out.
    async fn clear(&self, user: Uuid) -> Result<(), Error>;

    /// Takes out these quantities, once per order.
    async fn settle(&self, user: Uuid, order: Uuid, lines: &[Line]) -> Result<(), Error>;
}

/// The catalogue.
#[async_trait]
pub trait Products: Send + Sync {
    /// Those of the products that are on sale.
    async fn get(&self, ids: &[Uuid]) -> Result<Vec<Product>, Error>;
}
