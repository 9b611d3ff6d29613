//! The surroundings of a service under test.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::disallowed_methods)]

mod broker;
mod database;
mod door;
pub mod pki;
mod platform;
mod requests;
mod search;
mod sessions;
mod stores;
mod tokens;

pub use broker::vhost;
pub use database::{TestDatabase, database};
pub use door::{Door, Way};
pub use platform::Platform;
pub use requests::{bearer, eventually, fields, metrics, reason, with_key};
pub use search::places_of;
pub use sessions::Sessions;
pub use stores::redis_url;
pub use tokens::SigningKey;
