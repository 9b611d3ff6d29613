//! Access tokens: ES256 JWTs (RFC 7519, RFC 9068), checked again by every service.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keys::{KeyCache, KeySource};
use crate::revocations::Revocations;
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
    revocations: Arc<Revocations>,
    validation: Arc<Validation>,
}

impl Verifier {
    pub fn new(config: &TokenConfig, source: impl KeySource) -> Self {
        // The algorithm is ours to choose, never the token's (RFC 8725, section 3.1).
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[&config.jwt_issuer]);
        validation.set_audience(&[&config.jwt_audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        let source: Arc<dyn KeySource> = Arc::new(source);
        let keys = Arc::new(KeyCache::new(Arc::clone(&source)));
        let revocations = Arc::new(Revocations::new(source));
        Self { keys, revocations, validation: Arc::new(validation) }
    }

    /// The user that a token speaks for.
    pub async fn verify(&self, token: &str) -> Result<User, Problem> {
        let header = decode_header(token).map_err(|_| invalid())?;
        let kid = header.kid.ok_or_else(invalid)?;
        let key = self.keys.get(&kid).await?.ok_or_else(invalid)?;
        let decoded = decode::<Claims>(token, &key, &self.validation).map_err(|_| invalid())?;
        if self.revocations.cover(&decoded.claims).await {
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
