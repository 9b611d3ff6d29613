//! What applications call themselves: tokens, revocation, introspection, user info.

use axum::Json;
use axum::extract::{RawForm, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::fields::Fields;
use super::{Shared, Web};
use crate::api::origin_of;
use crate::core::Error;
use crate::core::oauth::{GrantError, Issued, is_secret_of, refused};
use crate::domain::oauth::{Client, Refusal};

/// `POST /oauth2/token` (RFC 6749, section 3.2).
pub(super) async fn token(
    State(web): State<Shared>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let form = Fields::parse(&String::from_utf8_lossy(&form));
    match web.granted(&headers, &form).await {
        Ok(issued) => answer(shown(&issued)),
        Err(error) => denied(error),
    }
}

/// `POST /oauth2/revoke` (RFC 7009).
pub(super) async fn revoke(
    State(web): State<Shared>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let form = Fields::parse(&String::from_utf8_lossy(&form));
    let revoked = async {
        let client = web.authenticated(&headers, &form).await?;
        let token = form.get("token").ok_or(refused("invalid_request", "there is no token"))?;
        Ok(web.oauth.revoke(&client, &token.to_owned().into()).await?)
    };
    match revoked.await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => denied(error),
    }
}

/// `POST /oauth2/introspect` (RFC 7662), for applications with a secret.
pub(super) async fn introspect(
    State(web): State<Shared>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let form = Fields::parse(&String::from_utf8_lossy(&form));
    let looked_at = async {
        let client = web.authenticated(&headers, &form).await?;
        if client.secret_hash.is_none() {
            return Err(refused("invalid_client", "a secret is needed"));
        }
        let token = form.get("token").ok_or(refused("invalid_request", "there is no token"))?;
        Ok(web.introspected(token).await?)
    };
    match looked_at.await {
        Ok(told) => answer(told),
        Err(error) => denied(error),
    }
}

/// `/oauth2/userinfo` (OpenID Connect Core 1.0, section 5.3).
pub(super) async fn userinfo(State(web): State<Shared>, headers: HeaderMap) -> Response {
    let token = bearer(&headers);
    let told = match &token {
        Some(token) => web.oauth.userinfo(token).await,
        None => Ok(None),
    };
    match told {
        Ok(Some(claims)) => answer(claims),
        Ok(None) => {
            let challenge = match token {
                Some(_) => "Bearer error=\"invalid_token\"",
                None => "Bearer",
            };
            (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, challenge)]).into_response()
        }
        Err(error) => denied(error.into()),
    }
}

impl Web {
    async fn granted(&self, headers: &HeaderMap, form: &Fields) -> Result<Issued, GrantError> {
        let client = self.authenticated(headers, form).await?;
        let (origin, secret) =
            (origin_of(headers, true), |name| SecretString::from(form.text(name)));
        match form.get("grant_type") {
            Some("authorization_code") => {
                let (uri, verifier) = (form.text("redirect_uri"), form.text("code_verifier"));
                self.oauth.exchange(&client, &secret("code"), &uri, &verifier, &origin).await
            }
            Some("refresh_token") => {
                self.oauth.refresh(&client, &secret("refresh_token"), &origin).await
            }
            Some("client_credentials") => self.oauth.client_credentials(&client).await,
            Some(_) => Err(refused("unsupported_grant_type", "there is no such grant here")),
            None => Err(refused("invalid_request", "there is no grant_type")),
        }
    }

    /// The application that calls: by its secret, or by its name alone where it cannot
    /// keep one.
    async fn authenticated(
        &self,
        headers: &HeaderMap,
        form: &Fields,
    ) -> Result<Client, GrantError> {
        const UNKNOWN: GrantError = refused("invalid_client", "the application is not known");
        if form.doubled {
            return Err(refused("invalid_request", "a parameter comes twice"));
        }
        let (id, secret) = match (basic(headers)?, form.get("client_secret")) {
            (Some(_), Some(_)) => {
                return Err(refused("invalid_request", "the secret comes in two ways"));
            }
            (Some((id, secret)), None) => (id, Some(secret)),
            (None, secret) => (form.text("client_id"), secret.map(|s| s.to_owned().into())),
        };
        let client = self.oauth.client(&id).await?.ok_or(UNKNOWN)?;
        let good = match (&client.secret_hash, &secret) {
            (None, None) => true,
            (Some(_), Some(secret)) => is_secret_of(&client, secret),
            _ => false,
        };
        if good { Ok(client) } else { Err(UNKNOWN) }
    }

    async fn introspected(&self, token: &str) -> Result<Value, Error> {
        let found = self.security.introspect(token).await?;
        Ok(found.map_or(json!({"active": false}), |token| {
            json!({
                "active": true,
                "token_type": token.kind,
                "sub": token.user,
                "sid": token.session,
                "exp": token.expires_at.unix_timestamp(),
                "iat": token.issued_at.unix_timestamp(),
            })
        }))
    }
}

/// RFC 6749, section 2.3.1: both parts are encoded as in a form.
fn basic(headers: &HeaderMap) -> Result<Option<(String, SecretString)>, GrantError> {
    let malformed = || refused("invalid_client", "authorization cannot be read");
    let Some(header) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let header = header.to_str().map_err(|_| malformed())?;
    let Some(encoded) = header.strip_prefix("Basic ") else { return Ok(None) };
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| malformed())?;
    let decoded = String::from_utf8(decoded).map_err(|_| malformed())?;
    let (id, secret) = decoded.split_once(':').ok_or_else(malformed)?;
    let plain = |text: &str| {
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        pairs.into_iter().next().map(|(name, _)| name).unwrap_or_default()
    };
    Ok(Some((plain(id), plain(secret).into())))
}

fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned().into())
}

fn shown(issued: &Issued) -> Value {
    let Issued { access_token, expires_in, refresh_token, id_token, scopes } = issued;
    let mut shown = json!({
        "access_token": access_token.expose_secret(),
        "token_type": "Bearer",
        "expires_in": expires_in.whole_seconds(),
        "scope": scopes.to_string(),
    });
    for (name, token) in [("refresh_token", refresh_token), ("id_token", id_token)] {
        if let Some(token) = token {
            shown[name] = json!(token.expose_secret());
        }
    }
    shown
}

fn answer(value: Value) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(value)).into_response()
}

/// RFC 6749, section 5.2.
fn denied(error: GrantError) -> Response {
    let Refusal { error, description } = match error {
        GrantError::Refused(refusal) => refusal,
        GrantError::Failed(error) => {
            tracing::error!(error = %error, "an application was not served");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let body = Json(json!({"error": error, "error_description": description}));
    let no_store = [(CACHE_CONTROL, "no-store")];
    if error == "invalid_client" {
        let challenge = [(WWW_AUTHENTICATE, "Basic realm=\"stoa\"")];
        return (StatusCode::UNAUTHORIZED, no_store, challenge, body).into_response();
    }
    (StatusCode::BAD_REQUEST, no_store, body).into_response()
}
