//! The OpenID provider, as browsers and applications reach it: HTTP behind the edge.

mod authorize;
mod cookies;
mod discovery;
mod fields;
mod logout;
mod pages;
mod signin;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::core::{Error, OAuth, Security};
use pages::Pages;

/// Everything below these is served here; the edge sends it on.
pub const PATHS: [&str; 3] =
    ["/oauth2/", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

/// Forms are short.
const LARGEST_BODY: usize = 16 * 1024;

/// What the handlers share.
pub struct Web {
    oauth: OAuth,
    security: Arc<Security>,
    pages: Pages,
}

type Shared = Arc<Web>;

/// The routes.
pub fn router(oauth: OAuth, security: Arc<Security>) -> Result<Router, Error> {
    let web: Shared = Arc::new(Web { oauth, security, pages: Pages::load()? });
    let [_, openid, oauth2] = PATHS;
    Ok(Router::new()
        .route(openid, get(discovery::document))
        .route(oauth2, get(discovery::document))
        .route("/oauth2/authorize", get(authorize::by_link).post(authorize::by_form))
        .route("/oauth2/login", post(signin::login))
        .route("/oauth2/consent", post(signin::consent))
        .route("/oauth2/logout", get(logout::by_link).post(logout::by_form))
        .route("/oauth2/token", post(token::token))
        .route("/oauth2/revoke", post(token::revoke))
        .route("/oauth2/introspect", post(token::introspect))
        .route("/oauth2/userinfo", get(token::userinfo).post(token::userinfo))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(web))
}
