//! What carts need from other systems.

use async_trait::async_trait;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Error;
use crate::domain::{Line, Product};

/// What became of an addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    Done,
    CartFull,
    QuantityTooLarge,
    /// Nothing is kept of this user any more.
    UserErased,
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

    /// Takes out these quantities, once per order. Of a user who was erased nothing is
    /// there, and nothing is written down.
    async fn settle(&self, user: Uuid, order: Uuid, lines: &[Line]) -> Result<(), Error>;
}

/// What is kept about a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// With when each was first added.
    pub lines: Vec<(Line, OffsetDateTime)>,
    /// Orders that were taken out of the cart, and when.
    pub settled: Vec<(Uuid, OffsetDateTime)>,
}

/// What is known of people. Every method is atomic.
#[async_trait]
pub trait People: Send + Sync {
    async fn kept(&self, user: Uuid) -> Result<Kept, Error>;

    /// Forgets a user, and keeps nothing new of them from now on.
    async fn erase(&self, user: Uuid) -> Result<(), Error>;
}

/// The catalogue.
#[async_trait]
pub trait Products: Send + Sync {
    /// Those of the products that are on sale.
    async fn get(&self, ids: &[Uuid]) -> Result<Vec<Product>, Error>;
}
