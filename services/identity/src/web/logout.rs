//! `/oauth2/logout`: an application sends the user here to sign out (OpenID Connect
//! RP-Initiated Logout 1.0).

use axum::extract::{RawForm, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use minijinja::context;

use super::cookies::Cookie;
use super::fields::{Fields, with_parameters};
use super::pages::set_cookie;
use super::{Shared, Web};
use crate::core::Error;

const PARAMETERS: [&str; 4] = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"];

pub(super) async fn by_link(
    State(web): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let fields = Fields::parse(&query.unwrap_or_default());
    web.logout(&headers, &fields, false).await.unwrap_or_else(|error| web.failed(&error))
}

pub(super) async fn by_form(
    State(web): State<Shared>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let fields = Fields::parse(&String::from_utf8_lossy(&form));
    let confirmed = fields.get("confirmed").is_some();
    if let Some(strange) = web.strange_form(&headers, &fields).filter(|_| confirmed) {
        return strange;
    }
    web.logout(&headers, &fields, confirmed).await.unwrap_or_else(|error| web.failed(&error))
}

impl Web {
    async fn logout(
        &self,
        headers: &HeaderMap,
        fields: &Fields,
        confirmed: bool,
    ) -> Result<Response, Error> {
        let hint = match fields.get("id_token_hint") {
            Some(token) => self.oauth.hinted(token).await?,
            None => None,
        };
        let browser = self.browser(headers).await?;
        let hinted = hint.is_some_and(|(_, session)| {
            browser.as_ref().is_some_and(|browser| browser.session == session)
        });
        // Anybody can link here: the user is asked, unless the application proves that
        // it is about this sign-in.
        if browser.is_some() && !confirmed && !hinted {
            let parameters: Vec<_> =
                PARAMETERS.iter().filter_map(|name| Some((*name, fields.get(name)?))).collect();
            return Ok(self.form(headers, StatusCode::OK, "logout.html", |csrf| {
                context! { title => "Sign out", csrf, parameters }
            }));
        }
        if let Some(cookie) = self.cookie(headers, Cookie::SignIn) {
            self.oauth.sign_out(&cookie).await?;
        }
        let client = hint.map(|(client, _)| client.to_string());
        let client = client.unwrap_or_else(|| fields.text("client_id"));
        let mut response = match self.back(fields, &client).await? {
            Some(address) => Redirect::to(&address).into_response(),
            None => self.message(StatusCode::OK, "Signed out", "You can close this page."),
        };
        set_cookie(&mut response, &self.clear_cookie(Cookie::SignIn));
        Ok(response)
    }

    /// Where to go then: an address of the application's own.
    async fn back(&self, fields: &Fields, client: &str) -> Result<Option<String>, Error> {
        let Some(address) = fields.get("post_logout_redirect_uri") else { return Ok(None) };
        let Some(client) = self.oauth.client(client).await? else { return Ok(None) };
        let known = client.logout_uris.iter().any(|known| known == address);
        Ok(known.then(|| match fields.get("state") {
            Some(state) => with_parameters(address, &[("state", state)]),
            None => address.to_owned(),
        }))
    }
}
