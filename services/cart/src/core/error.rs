//! Why something cannot be done.

use types::MoneyError;

/// Why a use case was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such product on sale")]
    ProductNotFound,
    #[error("the product is not in the cart")]
    ItemNotFound,
    #[error("the cart holds as many products as it can")]
    CartFull,
    #[error("the cart holds as many pieces of the product as it can")]
    QuantityTooLarge,
    /// By a token that outlives its user.
    #[error("the access token is not valid: its account is closed")]
    UserErased,
    #[error("the catalogue does not answer: {0}")]
    CatalogUnavailable(String),
    #[error("the carts cannot be reached: {0}")]
    StoreUnavailable(String),
    #[error("the cart cannot be priced: {0}")]
    Pricing(#[from] MoneyError),
}
