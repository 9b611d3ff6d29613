//! Pages for people.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use minijinja::{Environment, UndefinedBehavior, Value, context};
use secrecy::{ExposeSecret, SecretString};

use super::Web;
use super::cookies::Cookie;
use crate::core::{Error, random_text};

/// Their own style, nothing from elsewhere, no script, in nobody's frame. Where a form
/// may lead is left open: after signing in it leads to the application.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; \
    base-uri 'none'";

/// Templates that are part of the binary.
pub(super) struct Pages {
    environment: Environment<'static>,
}

const FILES: [(&str, &str); 5] = [
    ("page.html", include_str!("../../templates/page.html")),
    ("login.html", include_str!("../../templates/login.html")),
    ("consent.html", include_str!("../../templates/consent.html")),
    ("logout.html", include_str!("../../templates/logout.html")),
    ("message.html", include_str!("../../templates/message.html")),
];

impl Pages {
    /// Fails when a template is malformed.
    pub(super) fn load() -> Result<Self, Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in FILES {
            environment.add_template(name, source).map_err(Error::internal)?;
        }
        Ok(Self { environment })
    }

    fn render(&self, template: &str, values: Value) -> Result<String, Error> {
        let template = self.environment.get_template(template).map_err(Error::internal)?;
        template.render(values).map_err(Error::internal)
    }
}

impl Web {
    /// A page with a form: what it shows, and the value that proves it ours.
    pub(super) fn form(
        &self,
        headers: &HeaderMap,
        status: StatusCode,
        template: &str,
        values: impl FnOnce(&str) -> Value,
    ) -> Response {
        let csrf = match self.cookie(headers, Cookie::Form).filter(is_whole) {
            Some(csrf) => csrf,
            None => match random_text() {
                Ok(csrf) => csrf,
                Err(error) => return self.failed(&error),
            },
        };
        let mut page = self.page(status, template, values(csrf.expose_secret()));
        set_cookie(&mut page, &self.set_cookie(Cookie::Form, &csrf));
        page
    }

    pub(super) fn page(&self, status: StatusCode, template: &str, values: Value) -> Response {
        match self.pages.render(template, values) {
            Ok(html) => {
                let headers = [(CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, "no-store")];
                (status, headers, Html(html)).into_response()
            }
            Err(error) => {
                tracing::error!(error = %error, template, "a page cannot be made");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    /// A page that says what is wrong.
    pub(super) fn message(&self, status: StatusCode, title: &str, text: &str) -> Response {
        self.page(status, "message.html", context! { title, text })
    }

    /// Our trouble: it is logged, and not told.
    pub(super) fn failed(&self, error: &Error) -> Response {
        tracing::error!(error = %error, "a page of the sign-in failed");
        let text = "We cannot do that at the moment. Please try again in a minute.";
        self.message(StatusCode::SERVICE_UNAVAILABLE, "Something went wrong", text)
    }
}

/// A cookie of ours, as far as one can see: 256 bits in base64url.
fn is_whole(value: &SecretString) -> bool {
    value.expose_secret().len() == 43
}

pub(super) fn set_cookie(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_named_is_only_text() -> Result<(), Error> {
        let client = "<script>alert(1)</script>";
        let values = context! { title => "x", client, request => "a=\"b", csrf => "c", email => "", error => "" };
        let page = Pages::load()?.render("login.html", values)?;
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"), "{page}");
        assert!(page.contains("a=&quot;b"), "{page}");
        Ok(())
    }
}
