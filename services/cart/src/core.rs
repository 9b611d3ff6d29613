//! What can be done with carts.

mod error;
mod ports;

use std::sync::Arc;

pub use error::Error;
pub use ports::{Added, CartStore, Kept, People, Products};
use uuid::Uuid;

use crate::domain::{Line, PricedCart};

/// The use cases of carts.
pub struct Carts {
    store: Arc<dyn CartStore>,
    products: Arc<dyn Products>,
}

impl Carts {
    pub fn new(store: Arc<dyn CartStore>, products: Arc<dyn Products>) -> Self {
        Self { store, products }
    }

    /// A user's cart at the prices of the moment.
    pub async fn view(&self, user: Uuid) -> Result<PricedCart, Error> {
        let lines = self.store.lines(user).await?;
        self.price(&lines).await
    }

    /// Adds pieces of a product that is on sale.
    pub async fn add(&self, user: Uuid, line: Line) -> Result<PricedCart, Error> {
        // The catalogue is asked once, for the new product and for all the others.
        let mut lines = self.store.lines(user).await?;
        lines.push(line);
        let products = self.products.get(&ids(&lines)).await?;
        if !products.iter().any(|p| p.id == line.product) {
            return Err(Error::ProductNotFound);
        }
        match self.store.add(user, line).await? {
            Added::Done => {}
            Added::CartFull => return Err(Error::CartFull),
            Added::UserErased => return Err(Error::UserErased),
            Added::QuantityTooLarge => return Err(Error::QuantityTooLarge),
        }
        let lines = self.store.lines(user).await?;
        Ok(PricedCart::price(&lines, products)?)
    }

    /// Sets the number of pieces of a product that is in the cart.
    pub async fn update(&self, user: Uuid, line: Line) -> Result<PricedCart, Error> {
        if !self.store.set(user, line).await? {
            return Err(Error::ItemNotFound);
        }
        self.view(user).await
    }

    /// Takes a product out, also when it is not in.
    pub async fn remove(&self, user: Uuid, product: Uuid) -> Result<PricedCart, Error> {
        self.store.set(user, Line { product, quantity: 0 }).await?;
        self.view(user).await
    }

    /// Takes everything out.
    pub async fn clear(&self, user: Uuid) -> Result<PricedCart, Error> {
        self.store.clear(user).await?;
        Ok(PricedCart { items: Vec::new(), total: None })
    }

    /// What is in a user's cart, without prices.
    pub async fn read(&self, user: Uuid) -> Result<Vec<Line>, Error> {
        self.store.lines(user).await
    }

    /// Takes out what was ordered, once per order.
    pub async fn settle(&self, user: Uuid, order: Uuid, lines: &[Line]) -> Result<(), Error> {
        self.store.settle(user, order, lines).await
    }

    async fn price(&self, lines: &[Line]) -> Result<PricedCart, Error> {
        if lines.is_empty() {
            return Ok(PricedCart { items: Vec::new(), total: None });
        }
        let products = self.products.get(&ids(lines)).await?;
        Ok(PricedCart::price(lines, products)?)
    }
}

fn ids(lines: &[Line]) -> Vec<Uuid> {
    lines.iter().map(|line| line.product).collect()
}
