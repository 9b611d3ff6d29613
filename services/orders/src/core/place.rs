//! Placing an order.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use tokio::time::Instant;
use uuid::Uuid;

use super::error::Unavailable;
use super::ports::{CartLine, Key, Offer, Placed};
use super::{Error, Orders, figures};
use crate::domain::{Address, Order, OrderLine, PaymentToken, Saga};

/// What a customer asks for.
#[derive(Debug, Clone)]
pub struct PlaceOrder {
    pub user: Uuid,
    /// Whether nobody is behind the user.
    pub synthetic: bool,
    pub idempotency_key: String,
    pub payment_token: PaymentToken,
    pub shipping_address: Address,
}

impl Orders {
    /// Orders what is in the user's cart. Answers the order as far as it got until
    /// `until`; what is left goes on by itself.
    pub async fn place(&self, command: PlaceOrder, until: Instant) -> Result<Order, Error> {
        let key = command.key();
        if let Some(placed) = self.repository.placed_with(command.user, &key.text).await? {
            return self.answer_again(&placed, &key, until).await;
        }
        let PlaceOrder { user, synthetic, payment_token, shipping_address, .. } = command;
        let lines = match self.priced_cart(user).await {
            Ok(lines) => lines,
            // A twin may have emptied the cart since the key was looked for.
            Err(error) => return self.answer_twin(user, &key, until, error).await,
        };
        let now = types::now();
        let order = Order::place(user, lines, shipping_address, now)
            .map_err(|error| Error::Internal(format!("the order has no total: {error}")))?;
        let order = Order { synthetic, ..order };
        let allowance = self.driver.settings().checkout_allowance;
        let saga = Saga::checkout(order, payment_token, now, allowance);
        let id = saga.order.id;
        match self.sagas.place(saga, &key).await? {
            Some(leased) => {
                figures::count(&leased.saga.order);
                self.follow(self.driver.start(leased), id, until).await
            }
            None => {
                let gone = Error::Internal("a key was taken and is gone".to_owned());
                self.answer_twin(user, &key, until, gone).await
            }
        }
    }

    /// The order of a concurrent request with the same key that was faster, or else
    /// the error.
    async fn answer_twin(
        &self,
        user: Uuid,
        key: &Key,
        until: Instant,
        otherwise: Error,
    ) -> Result<Order, Error> {
        let placed = self.repository.placed_with(user, &key.text).await?;
        self.answer_again(&placed.ok_or(otherwise)?, key, until).await
    }

    async fn answer_again(
        &self,
        placed: &Placed,
        key: &Key,
        until: Instant,
    ) -> Result<Order, Error> {
        if placed.fingerprint != key.fingerprint {
            return Err(Error::KeyReused);
        }
        self.settled(placed.order_id, until).await
    }

    /// What is in the cart, at current prices.
    async fn priced_cart(&self, user: Uuid) -> Result<Vec<OrderLine>, Error> {
        let cart = self.carts.read(user).await?;
        if cart.is_empty() {
            return Err(Error::CartEmpty);
        }
        let products = cart.iter().map(|line| line.product_id).collect();
        price(&cart, self.prices.offers(products).await?)
    }
}

/// Puts offers to the lines of a cart. An order is paid at once, so all of it
/// must be on sale in one currency: that of the first line.
fn price(cart: &[CartLine], offers: Vec<Offer>) -> Result<Vec<OrderLine>, Error> {
    let mut offers: HashMap<_, _> = offers.into_iter().map(|o| (o.product_id, o)).collect();
    let (mut lines, mut unavailable) = (Vec::<OrderLine>::with_capacity(cart.len()), Vec::new());
    for (position, &CartLine { product_id, quantity }) in cart.iter().enumerate() {
        let why = match offers.remove(&product_id) {
            Some(Offer { name, price: unit_price, .. }) => {
                let currency = lines.first().map(|first| first.unit_price.currency());
                if currency.is_none_or(|c| c == unit_price.currency()) {
                    lines.push(OrderLine { product_id, name, quantity, unit_price });
                    continue;
                }
                "is not sold in the currency of the rest of the cart"
            }
            None => "is not on sale",
        };
        unavailable.push(Unavailable { position, product_id, why });
    }
    if unavailable.is_empty() { Ok(lines) } else { Err(Error::ProductUnavailable(unavailable)) }
}

impl PlaceOrder {
    /// The caller's key with the fingerprint of the request. Lengths go before
    /// values, so that no two requests have the same bytes.
    fn key(&self) -> Key {
        let Address { recipient, street, city, postal_code, country_code } = &self.shipping_address;
        let parts = [&self.payment_token.0, recipient, street, city, postal_code, country_code];
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Key { text: self.idempotency_key.clone(), fingerprint: hash.finalize().into() }
    }
}
