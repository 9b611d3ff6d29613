//! `/oauth2/authorize`: an application sends a browser here (RFC 6749, section 4.1.1).

use axum::extract::{RawForm, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use minijinja::context;
use secrecy::ExposeSecret;

use super::cookies::Cookie;
use super::fields::{Fields, with_parameters};
use super::{Shared, Web};
use crate::core::Error;
use crate::core::oauth::Browser;
use crate::domain::oauth::{AuthorizationRequest, Client, Refusal};

pub(super) async fn by_link(
    State(web): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    web.authorize(&headers, &Fields::parse(&query.unwrap_or_default())).await
}

pub(super) async fn by_form(
    State(web): State<Shared>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    web.authorize(&headers, &Fields::parse(&String::from_utf8_lossy(&form))).await
}

/// A request of an application that we know, to an address of its own.
pub(super) struct Asked {
    pub(super) client: Client,
    pub(super) request: AuthorizationRequest,
}

impl Web {
    async fn authorize(&self, headers: &HeaderMap, fields: &Fields) -> Response {
        let asked = match self.asked(fields).await {
            Ok(asked) => asked,
            Err(response) => return response,
        };
        match self.answer(headers, fields, &asked).await {
            Ok(response) => response,
            Err(error) => self.failed(&error),
        }
    }

    /// Anything wrong with the application or its address is shown; anything else is
    /// told to the application.
    pub(super) async fn asked(&self, fields: &Fields) -> Result<Asked, Response> {
        let strange = |text| self.message(StatusCode::BAD_REQUEST, "This link is not right", text);
        let client = self.oauth.client(&fields.text("client_id")).await;
        let client = client.map_err(|error| self.failed(&error))?;
        let client = client.ok_or_else(|| strange("No application of this name is known here."))?;
        let value = |name: &str| fields.get(name);
        let redirect_uri = AuthorizationRequest::redirect_uri(&client, &value);
        let redirect_uri = redirect_uri.filter(|_| !fields.doubled).ok_or_else(|| {
            strange("The application does not say where to go back to, or it is not its own place.")
        })?;
        match AuthorizationRequest::parse(redirect_uri.clone(), &value) {
            Ok(request) => Ok(Asked { client, request }),
            Err(refusal) => Err(self.refuse(&redirect_uri, fields.get("state"), refusal)),
        }
    }

    async fn answer(
        &self,
        headers: &HeaderMap,
        fields: &Fields,
        asked: &Asked,
    ) -> Result<Response, Error> {
        let Asked { client, request } = asked;
        let browser = self.browser(headers).await?;
        let browser = browser.filter(|b| !request.needs_login(b.auth_time, types::now()));
        let Some(browser) = browser else {
            if request.prompt.none {
                return Ok(self.refuse_asked(asked, "login_required", "the user has to sign in"));
            }
            return Ok(self.login_page(headers, StatusCode::OK, client, fields, "", ""));
        };
        if self.oauth.needs_consent(client, request, browser.user.id).await? {
            if request.prompt.none {
                return Ok(self.refuse_asked(asked, "consent_required", "the user has to consent"));
            }
            return Ok(self.consent_page(headers, asked, fields, &browser));
        }
        self.go_back(asked, &browser).await
    }

    /// Who is signed in in this browser.
    pub(super) async fn browser(&self, headers: &HeaderMap) -> Result<Option<Browser>, Error> {
        match self.cookie(headers, Cookie::SignIn) {
            Some(cookie) => self.oauth.browser(&cookie).await,
            None => Ok(None),
        }
    }

    /// With a code, and who we are (RFC 9207).
    pub(super) async fn go_back(
        &self,
        asked: &Asked,
        browser: &Browser,
    ) -> Result<Response, Error> {
        let Asked { client, request } = asked;
        let code = self.oauth.issue_code(client, request, browser).await?;
        let issuer = &self.oauth.provider().issuer;
        let mut parameters = vec![("code", code.expose_secret()), ("iss", issuer)];
        parameters.extend(request.state.as_deref().map(|state| ("state", state)));
        Ok(Redirect::to(&with_parameters(&request.redirect_uri, &parameters)).into_response())
    }

    pub(super) fn refuse_asked(
        &self,
        asked: &Asked,
        error: &'static str,
        description: &'static str,
    ) -> Response {
        let AuthorizationRequest { redirect_uri, state, .. } = &asked.request;
        self.refuse(redirect_uri, state.as_deref(), Refusal { error, description })
    }

    fn refuse(&self, redirect_uri: &str, state: Option<&str>, refusal: Refusal) -> Response {
        let Refusal { error, description } = refusal;
        let issuer = &self.oauth.provider().issuer;
        let mut parameters =
            vec![("error", error), ("error_description", description), ("iss", issuer)];
        parameters.extend(state.map(|state| ("state", state)));
        Redirect::to(&with_parameters(redirect_uri, &parameters)).into_response()
    }

    pub(super) fn login_page(
        &self,
        headers: &HeaderMap,
        status: StatusCode,
        client: &Client,
        fields: &Fields,
        email: &str,
        error: &str,
    ) -> Response {
        let (client, request) = (&client.name, fields.encoded(&[]));
        self.form(headers, status, "login.html", |csrf| {
            context! { title => "Sign in", client, request, csrf, email, error }
        })
    }

    fn consent_page(
        &self,
        headers: &HeaderMap,
        asked: &Asked,
        fields: &Fields,
        browser: &Browser,
    ) -> Response {
        let (client, request) = (&asked.client.name, fields.encoded(&[]));
        let meanings: Vec<_> = asked.request.scopes.0.iter().map(|s| s.meaning()).collect();
        let email = &browser.user.email;
        self.form(headers, StatusCode::OK, "consent.html", |csrf| {
            context! { title => "Allow access", client, request, csrf, email, meanings }
        })
    }
}
