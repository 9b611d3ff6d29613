//! What applications are given: access tokens, ID tokens, claims about the user.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{GrantError, OAuth, refused};
use crate::core::Error;
use crate::core::ports::Code;
use crate::domain::User;
use crate::domain::oauth::{Client, Scope, Scopes};

/// Tokens for an application.
pub struct Issued {
    pub access_token: SecretString,
    pub expires_in: Duration,
    pub refresh_token: Option<SecretString>,
    pub id_token: Option<SecretString>,
    pub scopes: Scopes,
}

/// What tokens are given for.
pub(super) struct Basis {
    pub(super) scopes: Scopes,
    pub(super) nonce: Option<String>,
    pub(super) auth_time: OffsetDateTime,
    /// The `sid` of the ID token.
    pub(super) sign_in: Uuid,
}

impl Code {
    pub(super) fn basis(&self) -> Basis {
        let (scopes, nonce) = (self.scopes.clone(), self.nonce.clone());
        Basis { scopes, nonce, auth_time: self.auth_time, sign_in: self.session }
    }
}

impl OAuth {
    /// Tokens in a user's name.
    pub(super) fn issue(
        &self,
        client: &Client,
        basis: &Basis,
        user: &User,
        session: Uuid,
        refresh_token: Option<SecretString>,
        now: OffsetDateTime,
    ) -> Result<Issued, Error> {
        let scopes = basis.scopes.clone();
        // Without consent to use the shop in the user's name, a token tells who they are
        // and opens nothing else.
        let in_the_shop = client.first_party || scopes.has(Scope::Stoa);
        let (roles, entitlements) = match in_the_shop {
            true => (user.roles.built_in.as_slice(), user.entitlements.as_slice()),
            false => Default::default(),
        };
        let mut claims = json!({
            "aud": self.audience(in_the_shop),
            "sub": user.id,
            "sid": session,
            "roles": roles,
            "client_id": client.id,
            "scope": scopes.to_string(),
        });
        entitle(&mut claims, entitlements);
        let access_token = self.access_token(claims, now)?;
        let id_token =
            scopes.has(Scope::OpenId).then(|| self.id_token(client, basis, user.id, now));
        let expires_in = self.provider.lifetimes.access;
        Ok(Issued {
            access_token,
            expires_in,
            refresh_token,
            id_token: id_token.transpose()?,
            scopes,
        })
    }

    /// An access token in the application's own name (RFC 6749, section 4.4).
    pub async fn client_credentials(&self, client: &Client) -> Result<Issued, GrantError> {
        if client.secret_hash.is_none() || client.roles.all().is_empty() {
            return Err(refused("unauthorized_client", "it may do nothing in its own name"));
        }
        let mut claims = json!({
            "aud": self.audience(true),
            "sub": client.id,
            "roles": client.roles.built_in,
            "client_id": client.id,
            "scope": Scope::Stoa.name(),
        });
        entitle(&mut claims, &client.entitlements);
        let access_token = self.access_token(claims, types::now())?;
        let expires_in = self.provider.lifetimes.access;
        let scopes = Scopes([Scope::Stoa].into());
        Ok(Issued { access_token, expires_in, refresh_token: None, id_token: None, scopes })
    }

    fn audience(&self, in_the_shop: bool) -> String {
        match in_the_shop {
            true => self.provider.api_audience.clone(),
            false => format!("{}/oauth2/userinfo", self.provider.issuer),
        }
    }

    /// RFC 9068.
    fn access_token(&self, mut claims: Value, now: OffsetDateTime) -> Result<SecretString, Error> {
        let expires_at = now + self.provider.lifetimes.access;
        claims["iss"] = json!(self.provider.api_issuer);
        claims["iat"] = json!(now.unix_timestamp());
        claims["exp"] = json!(expires_at.unix_timestamp());
        claims["jti"] = json!(Uuid::now_v7());
        self.jwts.sign("at+jwt", &claims, now)
    }

    /// OpenID Connect Core 1.0, section 2.
    fn id_token(
        &self,
        client: &Client,
        basis: &Basis,
        user: Uuid,
        now: OffsetDateTime,
    ) -> Result<SecretString, Error> {
        let expires_at = now + self.provider.lifetimes.access;
        let mut claims = json!({
            "iss": self.provider.issuer,
            "sub": user,
            "aud": client.id,
            "iat": now.unix_timestamp(),
            "exp": expires_at.unix_timestamp(),
            "auth_time": basis.auth_time.unix_timestamp(),
            "sid": basis.sign_in,
        });
        if let Some(nonce) = &basis.nonce {
            claims["nonce"] = json!(nonce);
        }
        self.jwts.sign("JWT", &claims, now)
    }

    /// What the application may know about the user behind a token (OpenID Connect
    /// Core 1.0, section 5.3); nothing when the token is not good.
    pub async fn userinfo(&self, token: &SecretString) -> Result<Option<Value>, Error> {
        let Some(claims) = self.jwts.read(token.expose_secret()).await? else { return Ok(None) };
        let scopes = Scopes::parse(claims["scope"].as_str().unwrap_or_default());
        let ours = claims["iss"] == json!(self.provider.api_issuer)
            && [true, false].iter().any(|shop| claims["aud"] == json!(self.audience(*shop)));
        let fresh = claims["exp"].as_i64() > Some(types::now().unix_timestamp());
        let ids = (uuid(&claims["sub"]), uuid(&claims["sid"]));
        let (Some(user), Some(session)) = ids else { return Ok(None) };
        let good = ours && fresh && scopes.has(Scope::OpenId);
        if !good || !self.ports.tokens.is_live(session).await? {
            return Ok(None);
        }
        let Some(user) = self.ports.users.get(user).await? else { return Ok(None) };
        let mut told = json!({"sub": user.id});
        if scopes.has(Scope::Profile) {
            told["name"] = json!(user.display_name);
        }
        if scopes.has(Scope::Email) {
            told["email"] = json!(user.email);
            told["email_verified"] = json!(user.email_verified);
        }
        Ok(Some(told))
    }

    /// The application and the sign-in that an ID token of ours is about, also an
    /// expired one (OpenID Connect RP-Initiated Logout 1.0, section 2).
    pub async fn hinted(&self, id_token: &str) -> Result<Option<(Uuid, Uuid)>, Error> {
        let Some(claims) = self.jwts.read(id_token).await? else { return Ok(None) };
        if claims["iss"] != json!(self.provider.issuer) {
            return Ok(None);
        }
        Ok(uuid(&claims["aud"]).zip(uuid(&claims["sid"])))
    }
}

/// RFC 9068, section 2.2.3.1; left out where there is nothing to say, as in our own tokens.
fn entitle(claims: &mut Value, entitlements: &[String]) {
    if !entitlements.is_empty() {
        claims["entitlements"] = json!(entitlements);
    }
}

fn uuid(value: &Value) -> Option<Uuid> {
    Uuid::try_parse(value.as_str()?).ok()
}
