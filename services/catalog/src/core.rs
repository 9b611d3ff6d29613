//! What the service does.

pub mod error;
pub mod ports;

use std::sync::Arc;

use types::Currency;
use uuid::Uuid;

pub use self::error::Error;
use self::ports::{Categories, Products};
use crate::domain::{Category, Draft, Listing, Patch, Product};

/// The use cases.
pub struct Catalog {
    products: Arc<dyn Products>,
    categories: Arc<dyn Categories>,
    /// The one currency that prices are in.
    currency: Currency,
}

impl Catalog {
    pub fn new(
        products: Arc<dyn Products>,
        categories: Arc<dyn Categories>,
        currency: Currency,
    ) -> Self {
        Self { products, categories, currency }
    }

    /// A page of products, and one product more when another page follows.
    pub async fn list(&self, listing: &Listing) -> Result<Vec<Product>, Error> {
        self.products.list(listing).await
    }

    /// One product.
    pub async fn get(&self, id: Uuid) -> Result<Product, Error> {
        self.products.find(&[id]).await?.pop().ok_or(Error::ProductNotFound(id))
    }

    /// The products that exist among these.
    pub async fn get_many(&self, ids: &[Uuid]) -> Result<Vec<Product>, Error> {
        self.products.find(ids).await
    }

    /// Adds a product.
    pub async fn create(&self, draft: Draft) -> Result<Product, Error> {
        let details = draft.check(self.currency).map_err(Error::Invalid)?;
        let now = types::now();
        let product = Product { id: Uuid::now_v7(), details, created: now, updated: now };
        self.products.add(&product).await
    }

    /// Changes a product.
    pub async fn update(&self, id: Uuid, patch: Patch) -> Result<Product, Error> {
        patch.check(self.currency).map_err(Error::Invalid)?;
        self.products.change(id, patch, types::now()).await
    }

    /// Takes a product off sale.
    pub async fn delete(&self, id: Uuid) -> Result<(), Error> {
        self.products.remove(id, types::now()).await
    }

    /// All categories, by name.
    pub async fn categories(&self) -> Result<Vec<Category>, Error> {
        self.categories.all().await
    }
}
