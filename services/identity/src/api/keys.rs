//! The service's own keys for its own gate.

use std::sync::Arc;

use async_trait::async_trait;
use grpc::{KeySource, Problem};
use proto::identity::v1::Jwk;

use super::convert;
use crate::core::ports::SigningKeys;

/// Keys for checking tokens, without a call over the network.
pub struct LocalKeys {
    keys: Arc<dyn SigningKeys>,
}

impl LocalKeys {
    pub fn new(keys: Arc<dyn SigningKeys>) -> Self {
        Self { keys }
    }
}

#[async_trait]
impl KeySource for LocalKeys {
    async fn keys(&self) -> Result<Vec<Jwk>, Problem> {
        Ok(self.keys.published().await?.into_iter().map(convert::jwk).collect())
    }
}
