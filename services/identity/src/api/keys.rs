//! The service's own keys for its own gate.

use std::sync::Arc;

use async_trait::async_trait;
use grpc::{KeySource, Problem, RevocationSource};
use prost_types::Timestamp;
use proto::identity::v1::{Jwk, ListRevocationsResponse};

use super::convert;
use crate::core::Identity;

/// Keys for checking tokens, and what was revoked, without a call over the network.
pub struct LocalKeys {
    core: Arc<Identity>,
}

impl LocalKeys {
    pub fn new(core: Arc<Identity>) -> Self {
        Self { core }
    }
}

#[async_trait]
impl KeySource for LocalKeys {
    async fn keys(&self) -> Result<Vec<Jwk>, Problem> {
        Ok(self.core.published_keys().await?.into_iter().map(convert::jwk).collect())
    }
}

#[async_trait]
impl RevocationSource for LocalKeys {
    async fn revocations(
        &self,
        since: Option<Timestamp>,
    ) -> Result<ListRevocationsResponse, Problem> {
        let since = since.map(|time| grpc::convert::parse_timestamp("start_time", &time));
        Ok(convert::revocations(self.core.revoked(since.transpose()?).await?))
    }
}
