//! Signing people in for applications (OAuth 2.1, OpenID Connect Core 1.0).

pub mod clients;
mod tokens;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::ports::{Clients, Code, Grant, Grants, Jwts, Ports, Rotation};
use super::proof::{Limits, Proof};
use super::{Error, Lifetimes, opaque};
use crate::domain::oauth::{AuthorizationRequest, Client, Refusal, Scope, Scopes};
use crate::domain::{Event, EventKind, NewToken, Origin, User};
use tokens::Basis;
pub use tokens::Issued;

/// How long a code may take from the browser to the application (RFC 6749, section
/// 4.1.2 allows ten minutes).
const CODE_LIFE: Duration = Duration::MINUTE;

/// What is told about us.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Where everybody reaches us; the `iss` of ID tokens.
    pub issuer: String,
    /// The `iss` and `aud` of access tokens for the shop's API.
    pub api_issuer: String,
    pub api_audience: String,
    pub lifetimes: Lifetimes,
}

/// The OpenID provider.
pub struct OAuth {
    ports: Arc<Ports>,
    clients: Arc<dyn Clients>,
    grants: Arc<dyn Grants>,
    jwts: Arc<dyn Jwts>,
    proof: Proof,
    provider: Provider,
}

/// Somebody who has signed in in this browser.
pub struct Browser {
    pub session: Uuid,
    pub user: User,
    pub auth_time: OffsetDateTime,
}

/// Why no tokens are given: a refusal that the application is told, or our trouble.
pub enum GrantError {
    Refused(Refusal),
    Failed(Error),
}

impl From<Error> for GrantError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

pub(crate) const fn refused(error: &'static str, description: &'static str) -> GrantError {
    GrantError::Refused(Refusal { error, description })
}

impl OAuth {
    pub fn new(
        ports: Arc<Ports>,
        clients: Arc<dyn Clients>,
        grants: Arc<dyn Grants>,
        jwts: Arc<dyn Jwts>,
        limits: Limits,
        provider: Provider,
    ) -> Self {
        let proof = Proof { ports: Arc::clone(&ports), limits };
        Self { ports, clients, grants, jwts, proof, provider }
    }

    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The application with this `client_id`.
    pub async fn client(&self, id: &str) -> Result<Option<Client>, Error> {
        match Uuid::try_parse(id) {
            Ok(id) => self.clients.get(id).await,
            Err(_) => Ok(None),
        }
    }

    /// Signs somebody in in a browser; answers what its cookie holds.
    pub async fn sign_in(
        &self,
        email: &str,
        password: SecretString,
        code: &str,
        origin: &Origin,
    ) -> Result<SecretString, Error> {
        let found = self.proof.sign_in(email, password, code, origin).await?;
        let (token, first) = self.refresh_token(types::now())?;
        let event = Event::of(EventKind::LoginSucceeded, found.user.id, first.issued_at, origin);
        self.ports.tokens.start(found.user.id, &first, &origin.user_agent, &event).await?;
        Ok(token)
    }

    /// Who is signed in with such a cookie.
    pub async fn browser(&self, cookie: &SecretString) -> Result<Option<Browser>, Error> {
        let held = self.ports.tokens.holder(opaque::hash(cookie), types::now()).await?;
        let Some((session, user, _)) = held else { return Ok(None) };
        // A token of an application is no cookie.
        let own = self.grants.grant(session.id).await?.is_some_and(|g| g.client.is_none());
        let auth_time = session.created_at;
        Ok(own.then_some(Browser { session: session.id, user, auth_time }))
    }

    /// Signs the browser out.
    pub async fn sign_out(&self, cookie: &SecretString) -> Result<(), Error> {
        self.ports.tokens.revoke(opaque::hash(cookie), types::now()).await
    }

    /// Whether the user has to be asked.
    pub async fn needs_consent(
        &self,
        client: &Client,
        request: &AuthorizationRequest,
        user: Uuid,
    ) -> Result<bool, Error> {
        if request.prompt.consent {
            return Ok(true);
        }
        if client.first_party {
            return Ok(false);
        }
        let given = self.grants.consent(user, client.id).await?;
        Ok(!request.scopes.0.is_subset(&given.0))
    }

    /// The user consents, to what they consented before, too.
    pub async fn consent(&self, client: &Client, scopes: &Scopes, user: Uuid) -> Result<(), Error> {
        let mut all = self.grants.consent(user, client.id).await?;
        all.0.extend(&scopes.0);
        self.grants.keep_consent(user, client.id, &all).await
    }

    /// A code for the application.
    pub async fn issue_code(
        &self,
        client: &Client,
        request: &AuthorizationRequest,
        browser: &Browser,
    ) -> Result<SecretString, Error> {
        let token = opaque::generate()?;
        let code = Code {
            client: client.id,
            user: browser.user.id,
            session: browser.session,
            redirect_uri: request.redirect_uri.clone(),
            scopes: request.scopes.clone(),
            nonce: request.nonce.clone(),
            code_challenge: request.code_challenge.clone(),
            auth_time: browser.auth_time,
            expires_at: types::now() + CODE_LIFE,
        };
        self.grants.keep_code(opaque::hash(&token), &code).await?;
        Ok(token)
    }

    /// Exchanges a code for tokens.
    pub async fn exchange(
        &self,
        client: &Client,
        code: &SecretString,
        redirect_uri: &str,
        verifier: &str,
        origin: &Origin,
    ) -> Result<Issued, GrantError> {
        const BAD: GrantError =
            refused("invalid_grant", "the code is unknown, used, expired or not for you");
        let (hash, now) = (opaque::hash(code), types::now());
        let taken = self.grants.take_code(hash, now).await?.ok_or(BAD)?;
        let for_them = taken.client == client.id && taken.redirect_uri == redirect_uri;
        if !for_them || !verifies(verifier, &taken.code_challenge) {
            return Err(BAD);
        }
        let user = self.ports.users.get(taken.user).await?.ok_or(BAD)?;
        if !taken.scopes.has(Scope::OfflineAccess) {
            return Ok(self.issue(client, &taken.basis(), &user, taken.session, None, now)?);
        }
        let (refresh_token, first) = self.refresh_token(now)?;
        let event = Event::of(EventKind::LoginSucceeded, user.id, now, origin);
        let family = self.grants.begin(hash, &taken, &first, &event).await?;
        Ok(self.issue(client, &taken.basis(), &user, family, Some(refresh_token), now)?)
    }

    /// Exchanges a refresh token for the next.
    pub async fn refresh(
        &self,
        client: &Client,
        token: &SecretString,
        origin: &Origin,
    ) -> Result<Issued, GrantError> {
        const BAD: GrantError =
            refused("invalid_grant", "the refresh token is unknown, used, revoked or expired");
        let now = types::now();
        let (refresh_token, next) = self.refresh_token(now)?;
        let hash = opaque::hash(token);
        match self.ports.tokens.rotate(hash, &next, Some(client.id), origin).await? {
            Rotation::Done(user, family) => {
                let grant = self.grants.grant(family).await?.ok_or(BAD)?;
                let Grant { client: _, scopes, auth_time } = grant;
                let basis = Basis { scopes, nonce: None, auth_time, sign_in: family };
                Ok(self.issue(client, &basis, &user, family, Some(refresh_token), now)?)
            }
            Rotation::Refused | Rotation::Reused(_) => Err(BAD),
        }
    }

    /// Ends a token of the application (RFC 7009); unknown ones are no error.
    pub async fn revoke(&self, client: &Client, token: &SecretString) -> Result<(), Error> {
        let hash = opaque::hash(token);
        let Some((session, ..)) = self.ports.tokens.holder(hash, types::now()).await? else {
            return Ok(());
        };
        let grant = self.grants.grant(session.id).await?;
        match grant.is_some_and(|grant| grant.client == Some(client.id)) {
            true => self.ports.tokens.revoke(hash, types::now()).await,
            false => Ok(()),
        }
    }

    fn refresh_token(&self, now: OffsetDateTime) -> Result<(SecretString, NewToken), Error> {
        let token = opaque::generate()?;
        let expires_at = now + self.provider.lifetimes.refresh;
        let new = NewToken { hash: opaque::hash(&token), issued_at: now, expires_at };
        Ok((token, new))
    }
}

/// RFC 7636, section 4.6.
fn verifies(verifier: &str, challenge: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let hashed = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    (43..=128).contains(&verifier.len())
        && verifier.chars().all(allowed)
        && bool::from(hashed.as_bytes().ct_eq(challenge.as_bytes()))
}

/// Whether it is the application's secret.
pub(crate) fn is_secret_of(client: &Client, secret: &SecretString) -> bool {
    let hash = Sha256::digest(secret.expose_secret());
    client.secret_hash.is_some_and(|known| known.ct_eq(&hash[..]).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_is_checked_as_in_the_rfc() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(verifies(verifier, challenge));
        assert!(!verifies("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl", challenge));
        assert!(!verifies(challenge, challenge));
        assert!(!verifies("short", challenge));
    }
}
