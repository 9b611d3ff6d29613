//! What operators and other workloads do with keys, tokens and the audit log.

use std::sync::Arc;

use secrecy::SecretString;
use time::OffsetDateTime;
use types::PageSize;
use uuid::Uuid;

use super::ports::{Jwts, Listed, Ports, Replace, Verification};
use super::{Error, opaque};
use crate::domain::{Event, EventKind, KeyInfo, KeyPlan, KeyState, Origin, signing_key};

/// Keys, tokens and the log.
pub struct Security {
    ports: Arc<Ports>,
    jwts: Arc<dyn Jwts>,
    /// The `iss` of access tokens.
    issuer: String,
    plan: KeyPlan,
}

/// What a token that is good now says.
pub struct ActiveToken {
    /// `access_token` or `refresh_token` (RFC 7009, section 2.1).
    pub kind: &'static str,
    pub user: Uuid,
    pub session: Uuid,
    pub roles: Vec<String>,
    pub entitlements: Vec<String>,
    pub issued_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

/// Of an access token of ours in somebody's name.
#[derive(serde::Deserialize)]
struct AccessClaims {
    iss: String,
    sub: Uuid,
    sid: Uuid,
    roles: Vec<String>,
    #[serde(default)]
    entitlements: Vec<String>,
    iat: i64,
    exp: i64,
}

impl Security {
    pub fn new(ports: Arc<Ports>, jwts: Arc<dyn Jwts>, issuer: String, plan: KeyPlan) -> Self {
        Self { ports, jwts, issuer, plan }
    }

    /// The signing keys, newest first, and where each is in its life.
    pub async fn keys(&self) -> Result<Vec<(KeyInfo, KeyState)>, Error> {
        let keys = self.ports.keys.list().await?;
        let states = signing_key::states(&keys, types::now());
        Ok(keys.into_iter().zip(states).collect())
    }

    /// Makes a new key, by an operator's wish.
    pub async fn rotate(
        &self,
        operator: Uuid,
        why: &str,
        origin: &Origin,
    ) -> Result<KeyInfo, Error> {
        let now = types::now();
        let event = Event::of(EventKind::KeysRotated, operator, now, origin);
        let made = self.ports.keys.succeed(&self.plan, Replace::Now, &event).await?;
        let made = made.ok_or(Error::RotationRunning)?;
        tracing::info!(user.id = %operator, key.kid = made.kid, why, "signing keys rotated");
        Ok(made)
    }

    /// Replaces the newest key once it is old enough; reads which keys there are.
    pub async fn keep_keys(&self) -> Result<(), Error> {
        let now = types::now();
        let event = Event::of_nobody(EventKind::KeysRotated, now, &Origin::default());
        if let Some(made) = self.ports.keys.succeed(&self.plan, Replace::WhenDue, &event).await? {
            tracing::info!(key.kid = made.kid, "signing keys rotated: it was time");
        }
        self.ports.keys.refresh().await
    }

    /// What a token says, if it is good now: an access token too is not once its
    /// session has ended (RFC 7662).
    pub async fn introspect(&self, token: &str) -> Result<Option<ActiveToken>, Error> {
        match self.access_token(token).await? {
            None => self.refresh_token(token).await,
            found => Ok(found),
        }
    }

    async fn access_token(&self, token: &str) -> Result<Option<ActiveToken>, Error> {
        let Some(claims) = self.jwts.read(token).await? else { return Ok(None) };
        let Ok(claims) = serde_json::from_value::<AccessClaims>(claims) else { return Ok(None) };
        let AccessClaims { iss, sub, sid, roles, entitlements, iat, exp } = claims;
        let fresh = iss == self.issuer && exp > types::now().unix_timestamp();
        if !fresh || !self.ports.tokens.is_live(sid).await? {
            return Ok(None);
        }
        let moment = |seconds| OffsetDateTime::from_unix_timestamp(seconds);
        let (Ok(issued_at), Ok(expires_at)) = (moment(iat), moment(exp)) else { return Ok(None) };
        let kind = "access_token";
        let (user, session) = (sub, sid);
        let active =
            ActiveToken { kind, user, session, roles, entitlements, issued_at, expires_at };
        Ok(Some(active))
    }

    async fn refresh_token(&self, token: &str) -> Result<Option<ActiveToken>, Error> {
        let hash = opaque::hash(&token.to_owned().into());
        let held = self.ports.tokens.holder(hash, types::now()).await?;
        Ok(held.map(|(session, user, expires_at)| ActiveToken {
            kind: "refresh_token",
            user: user.id,
            session: session.id,
            roles: user.roles.built_in,
            entitlements: user.entitlements,
            issued_at: session.last_used_at,
            expires_at,
        }))
    }

    /// A new token for a mail that was asked for, and until when it works.
    pub async fn mint_mail_token(
        &self,
        request: Uuid,
    ) -> Result<(SecretString, OffsetDateTime), Error> {
        let token = opaque::generate()?;
        let minted = self.ports.mails.mint(request, opaque::hash(&token), types::now()).await?;
        Ok((token, minted.ok_or(Error::MailRequestNotFound)?))
    }

    /// A page of an account's events, newest first, and one more where another page
    /// follows.
    pub async fn events(
        &self,
        user: Uuid,
        size: PageSize,
        before: Option<i64>,
    ) -> Result<Vec<Listed>, Error> {
        self.ports.audit.list(user, before, size.probe()).await
    }

    /// Follows the chain of hashes through the whole log.
    pub async fn verify_log(&self) -> Result<Verification, Error> {
        let verification = self.ports.audit.verify().await?;
        if let Some(sequence) = verification.broken {
            tracing::error!(sequence, "the log of security events was changed");
        }
        Ok(verification)
    }
}
