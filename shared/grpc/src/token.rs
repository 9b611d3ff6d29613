//! Access tokens: ES256 JWTs (RFC 7519, RFC 9068), checked again by every service.

use std::convert::Infallible;
use std::sync::Arc;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keys::{KeyCache, KeySource};
use crate::revocations::{Pace, RevocationSource, Revocations};
use crate::{Problem, User};

/// Token settings.
#[derive(clap::Args, Clone, Debug)]
pub struct TokenConfig {
    /// The `iss` claim.
    #[arg(long, env = "JWT_ISSUER", default_value = "https://stoa.local")]
    pub jwt_issuer: String,
    /// The `aud` claim.
    #[arg(long, env = "JWT_AUDIENCE", default_value = "stoa")]
    pub jwt_audience: String,
}

/// What an access token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// The user.
    pub sub: Uuid,
    /// Role names of the contract.
    pub roles: Vec<String>,
    /// Permissions that roles made by administrators give (RFC 9068, section 2.2.3.1; RFC
    /// 7643, section 4.1.2): these roles are known to identity alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entitlements: Vec<String>,
    /// Seconds since 1970.
    pub iat: i64,
    /// Seconds since 1970.
    pub exp: i64,
    /// The token's own id.
    pub jti: Uuid,
    /// The session that it belongs to (OpenID Connect Front-Channel Logout 1.0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Uuid>,
}

/// Clocks may differ by this many seconds.
const LEEWAY_SECONDS: u64 = 30;

/// Checks access tokens.
#[derive(Clone)]
pub struct Verifier {
    keys: Arc<KeyCache>,
    validation: Arc<Validation>,
    revocations: Arc<Revocations>,
    /// Who says what was revoked; nobody where no sessions are kept.
    told_by: Option<Arc<dyn RevocationSource>>,
}

impl Verifier {
    /// Checks tokens of sessions that may end before their tokens expire.
    pub fn new(config: &TokenConfig, source: impl KeySource + RevocationSource) -> Self {
        let source = Arc::new(source);
        Self { told_by: Some(Arc::clone(&source) as _), ..Self::over(config, source) }
    }

    /// Checks tokens where nobody keeps sessions: they are good until they expire.
    pub fn without_sessions(config: &TokenConfig, source: impl KeySource) -> Self {
        Self::over(config, Arc::new(source))
    }

    fn over(config: &TokenConfig, source: Arc<dyn KeySource>) -> Self {
        // The algorithm is ours to choose, never the token's (RFC 8725, section 3.1).
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[&config.jwt_issuer]);
        validation.set_audience(&[&config.jwt_audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        let (keys, validation) = (Arc::new(KeyCache::new(source)), Arc::new(validation));
        Self { keys, validation, revocations: Arc::default(), told_by: None }
    }

    /// Keeps up with what is revoked, for ever.
    pub(crate) async fn follow_revocations(self) -> Infallible {
        match self.told_by {
            Some(source) => self.revocations.follow(&*source, Pace::USUAL).await,
            None => std::future::pending().await,
        }
    }

    /// Waits until it was asked once what is revoked.
    pub(crate) async fn asked_for_revocations(&self) {
        if self.told_by.is_some() {
            self.revocations.asked().await;
        }
    }

    /// The user that a token speaks for.
    pub async fn verify(&self, token: &str) -> Result<User, Problem> {
        let header = decode_header(token).map_err(|_| invalid())?;
        let kid = header.kid.ok_or_else(invalid)?;
        let key = self.keys.get(&kid).await?.ok_or_else(invalid)?;
        let decoded = decode::<Claims>(token, &key, &self.validation).map_err(|_| invalid())?;
        if self.revocations.cover(&decoded.claims) {
            return Err(invalid());
        }
        let Claims { sub, roles, entitlements, sid, .. } = decoded.claims;
        Ok(User { id: sub, roles, entitlements, session: sid })
    }
}

/// One answer for every way in which a token can be bad.
fn invalid() -> Problem {
    Problem::unauthenticated("TOKEN_INVALID", "the access token is not valid or has expired")
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use futures::FutureExt as _;
    use prost_types::Timestamp;
    use proto::identity::v1::{Jwk, ListRevocationsResponse};
    use testkit::SigningKey;
    use tokio::sync::Notify;

    use super::*;

    /// Identity, which gives its key and says nothing of sessions, ever.
    struct Hanging {
        key: Jwk,
        asked: Arc<Notify>,
    }

    #[async_trait]
    impl KeySource for Hanging {
        async fn keys(&self) -> Result<Vec<Jwk>, Problem> {
            Ok(vec![self.key.clone()])
        }
    }

    #[async_trait]
    impl RevocationSource for Hanging {
        async fn revocations(
            &self,
            _: Option<Timestamp>,
        ) -> Result<ListRevocationsResponse, Problem> {
            self.asked.notify_one();
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn no_token_waits_for_identity_to_say_what_was_revoked() {
        let (key, asked) = (SigningKey::new(), Arc::new(Notify::new()));
        let jwt_issuer = key.claims(Uuid::now_v7(), &[]).iss;
        let config = TokenConfig { jwt_issuer, jwt_audience: "stoa".to_owned() };
        let identity = Hanging { key: key.jwk(), asked: Arc::clone(&asked) };
        let verifier = Verifier::new(&config, identity);
        let token = key.sign(&key.claims(Uuid::now_v7(), &["customer"]));
        verifier.verify(&token).await.expect("a good token");
        let test = async {
            asked.notified().await;
            // Not even once is the request put aside.
            verifier.verify(&token).now_or_never()
        };
        let checked = tokio::select! {
            checked = test => checked,
            never = verifier.clone().follow_revocations() => match never {},
        };
        checked.expect("an answer at once").expect("a good token");
    }
}
