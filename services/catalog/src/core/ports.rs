//! What the use cases need from outside.

use async_trait::async_trait;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Error;
use crate::domain::{Category, Listing, Patch, Product};

/// The products on sale. Every change is published together with itself.
#[async_trait]
pub trait Products: Send + Sync {
    /// A page, and one product more when another page follows.
    async fn list(&self, listing: &Listing) -> Result<Vec<Product>, Error>;

    /// The products that exist among these, in no particular order.
    async fn find(&self, ids: &[Uuid]) -> Result<Vec<Product>, Error>;

    /// Adds a product; answers it as stored.
    async fn add(&self, product: &Product) -> Result<Product, Error>;

    /// Changes a product as if nobody else did at the same time.
    async fn change(&self, id: Uuid, patch: Patch, now: OffsetDateTime) -> Result<Product, Error>;

    /// Takes a product off sale.
    async fn remove(&self, id: Uuid, now: OffsetDateTime) -> Result<(), Error>;
}

/// The categories.
#[async_trait]
pub trait Categories: Send + Sync {
    /// All of them, by name.
    async fn all(&self) -> Result<Vec<Category>, Error>;
}
