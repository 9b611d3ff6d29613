//! The carts in Redis and the catalogue over gRPC.

mod catalog;
mod redis;

pub use self::catalog::CatalogProducts;
pub use self::redis::RedisCarts;
