//! From the core's answers to the contract's.

use grpc::Problem;
use grpc::convert::money;
use proto::cart::v1::{Cart, CartItem};
use tonic::{Response, Status};

use crate::core::Error;
use crate::domain::{Item, MAX_LINES, MAX_QUANTITY, PricedCart};

pub(crate) fn answer(cart: Result<PricedCart, Error>) -> Result<Response<Cart>, Status> {
    Ok(Response::new(cart.map_err(Problem::from)?.into()))
}

impl From<PricedCart> for Cart {
    fn from(PricedCart { items, total }: PricedCart) -> Self {
        Self {
            item_count: items.iter().map(|item| item.line.quantity).sum(),
            total: total.map(money),
            items: items.into_iter().map(CartItem::from).collect(),
        }
    }
}

impl From<Item> for CartItem {
    fn from(Item { line, offer }: Item) -> Self {
        Self {
            product_id: line.product.to_string(),
            quantity: line.quantity,
            available: offer.is_some(),
            unit_price: offer.as_ref().map(|o| money(o.unit_price)),
            line_total: offer.as_ref().map(|o| money(o.line_total)),
            name: offer.map(|o| o.name).unwrap_or_default(),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::ProductNotFound => Problem::not_found("PRODUCT_NOT_FOUND", text),
            Error::ItemNotFound => Problem::not_found("ITEM_NOT_FOUND", text),
            Error::CartFull => Problem::precondition("CART_FULL", format!("{text}: {MAX_LINES}")),
            Error::QuantityTooLarge => {
                Problem::precondition("QUANTITY_TOO_LARGE", format!("{text}: {MAX_QUANTITY}"))
            }
            Error::UserErased => Problem::unauthenticated("TOKEN_INVALID", text),
            Error::CatalogUnavailable(cause) => {
                tracing::warn!(error = cause, "the catalogue does not answer (CATALOG_URL)");
                Problem::unavailable("CATALOG_UNAVAILABLE", "the catalogue does not answer")
            }
            Error::StoreUnavailable(cause) => {
                tracing::warn!(error = cause, "the carts cannot be reached (REDIS_URL)");
                Problem::unavailable("CART_UNAVAILABLE", "carts cannot be reached at the moment")
            }
            Error::Pricing(cause) => Problem::internal(cause),
        }
    }
}
