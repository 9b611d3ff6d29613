//! The public keys that access tokens are checked with, kept fresh.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jsonwebtoken::DecodingKey;
use prost_types::Timestamp;
use proto::identity::v1::identity_service_client::IdentityServiceClient;
use proto::identity::v1::{GetJwksRequest, Jwk, ListRevocationsRequest, ListRevocationsResponse};
use tokio::sync::Mutex;

use crate::revocations::RevocationSource;
use crate::{MeshChannel, Problem};

/// Where keys come from.
#[async_trait]
pub trait KeySource: Send + Sync + 'static {
    /// All keys that tokens may be signed with now.
    async fn keys(&self) -> Result<Vec<Jwk>, Problem>;
}

/// Keys from the identity service, and what it has revoked.
pub struct RemoteKeys {
    client: IdentityServiceClient<MeshChannel>,
}

impl RemoteKeys {
    pub fn new(channel: MeshChannel) -> Self {
        Self { client: IdentityServiceClient::new(channel) }
    }
}

#[async_trait]
impl KeySource for RemoteKeys {
    async fn keys(&self) -> Result<Vec<Jwk>, Problem> {
        match self.client.clone().get_jwks(GetJwksRequest {}).await {
            Ok(answer) => Ok(answer.into_inner().keys),
            Err(status) => {
                tracing::warn!(error = %status, "no signing keys from identity (IDENTITY_URL)");
                let text = "tokens cannot be checked at the moment";
                Err(Problem::unavailable("KEYS_UNAVAILABLE", text))
            }
        }
    }
}

#[async_trait]
impl RevocationSource for RemoteKeys {
    async fn revocations(
        &self,
        since: Option<Timestamp>,
    ) -> Result<ListRevocationsResponse, Problem> {
        let request = ListRevocationsRequest { start_time: since };
        match self.client.clone().list_revocations(request).await {
            Ok(answer) => Ok(answer.into_inner()),
            Err(status) => Err(Problem::unavailable("KEYS_UNAVAILABLE", status.to_string())),
        }
    }
}

/// An unknown key id asks the source at most this often, so that made-up ids do
/// not become a load on identity.
const REFRESH_AT_MOST_EVERY: Duration = Duration::from_secs(5);

/// Keys by id.
pub(crate) struct KeyCache {
    source: Arc<dyn KeySource>,
    known: RwLock<Arc<HashMap<String, Arc<DecodingKey>>>>,
    refreshed: Mutex<Option<Instant>>,
}

impl KeyCache {
    pub(crate) fn new(source: Arc<dyn KeySource>) -> Self {
        Self { source, known: RwLock::default(), refreshed: Mutex::new(None) }
    }

    /// The key with this id; nothing when the source does not know it either.
    pub(crate) async fn get(&self, kid: &str) -> Result<Option<Arc<DecodingKey>>, Problem> {
        if let Some(key) = self.lookup(kid) {
            return Ok(Some(key));
        }
        let mut refreshed = self.refreshed.lock().await;
        let recent = refreshed.is_some_and(|at| at.elapsed() < REFRESH_AT_MOST_EVERY);
        if !recent && self.lookup(kid).is_none() {
            let keys = self.source.keys().await?;
            *refreshed = Some(Instant::now());
            self.replace(&keys);
        }
        Ok(self.lookup(kid))
    }

    fn lookup(&self, kid: &str) -> Option<Arc<DecodingKey>> {
        let known = self.known.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        known.get(kid).cloned()
    }

    fn replace(&self, keys: &[Jwk]) {
        let fresh = keys
            .iter()
            .filter_map(|jwk| match DecodingKey::from_ec_components(&jwk.x, &jwk.y) {
                Ok(key) => Some((jwk.kid.clone(), Arc::new(key))),
                Err(error) => {
                    tracing::warn!(kid = jwk.kid, error = %error, "identity gave an unusable key");
                    None
                }
            })
            .collect();
        let mut known = self.known.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        *known = Arc::new(fresh);
    }
}
