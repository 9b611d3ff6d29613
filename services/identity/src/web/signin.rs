//! The forms of the login and the consent page.

use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use super::authorize::Asked;
use super::cookies::Cookie;
use super::fields::Fields;
use super::pages::set_cookie;
use super::{Shared, Web};
use crate::api::origin_of;
use crate::core::Error;

pub(super) async fn login(
    State(web): State<Shared>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let (form, fields, asked) = match web.filled_in(&headers, &form).await {
        Ok(filled_in) => filled_in,
        Err(response) => return response,
    };
    let (email, password) = (form.text("email"), form.text("password").into());
    let origin = origin_of(&headers, true);
    let signed_in = web.oauth.sign_in(&email, password, &form.text("one_time_code"), &origin).await;
    match signed_in {
        Ok(cookie) => {
            // The user has just signed in, whatever the application asked for.
            let request = fields.encoded(&["prompt"]);
            let mut response =
                Redirect::to(&format!("/oauth2/authorize?{request}")).into_response();
            set_cookie(&mut response, &web.set_cookie(Cookie::SignIn, &cookie));
            response
        }
        Err(error) => match told(&error) {
            Some((status, text)) => {
                web.login_page(&headers, status, &asked.client, &fields, &email, text)
            }
            None => web.failed(&error),
        },
    }
}

/// What somebody who does not get in is told.
fn told(error: &Error) -> Option<(StatusCode, &'static str)> {
    Some(match error {
        Error::BadCredentials => {
            (StatusCode::UNAUTHORIZED, "E-mail address, password or code is wrong.")
        }
        Error::SecondFactorRequired => {
            (StatusCode::UNAUTHORIZED, "Please give a one-time code, too.")
        }
        Error::LoginThrottled(_) => {
            (StatusCode::TOO_MANY_REQUESTS, "Too many wrong tries. Please wait a while.")
        }
        Error::TooManyLogins => {
            (StatusCode::TOO_MANY_REQUESTS, "Too many people sign in. Please try again.")
        }
        _ => return None,
    })
}

pub(super) async fn consent(
    State(web): State<Shared>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let (form, fields, asked) = match web.filled_in(&headers, &form).await {
        Ok(filled_in) => filled_in,
        Err(response) => return response,
    };
    let allowed = form.get("decision") == Some("allow");
    let decided = async {
        let Some(browser) = web.browser(&headers).await? else {
            // Signed out meanwhile.
            let again = format!("/oauth2/authorize?{}", fields.encoded(&[]));
            return Ok(Redirect::to(&again).into_response());
        };
        if !allowed {
            return Ok(web.refuse_asked(&asked, "access_denied", "the user does not consent"));
        }
        web.oauth.consent(&asked.client, &asked.request.scopes, browser.user.id).await?;
        web.go_back(&asked, &browser).await
    };
    decided.await.unwrap_or_else(|error: Error| web.failed(&error))
}

impl Web {
    /// A form of ours as it was filled in, and the request that it goes on with.
    async fn filled_in(
        &self,
        headers: &HeaderMap,
        form: &[u8],
    ) -> Result<(Fields, Fields, Asked), Response> {
        let form = Fields::parse(&String::from_utf8_lossy(form));
        if let Some(strange) = self.strange_form(headers, &form) {
            return Err(strange);
        }
        let fields = Fields::parse(&form.text("request"));
        let asked = self.asked(&fields).await?;
        Ok((form, fields, asked))
    }

    /// A form that was not made here, for this browser.
    pub(super) fn strange_form(&self, headers: &HeaderMap, form: &Fields) -> Option<Response> {
        if self.is_our_form(headers, &form.text("csrf")) {
            return None;
        }
        let text = "Please go back to the application and begin again.";
        Some(self.message(StatusCode::FORBIDDEN, "This form is too old", text))
    }
}
