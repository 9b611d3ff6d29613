//! The two cookies: who is signed in in a browser, and proof that a form is ours.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::Web;

/// What a cookie is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    SignIn,
    /// The value is in the form, too: other pages can send a form, but not read the
    /// cookie (OWASP CSRF Prevention Cheat Sheet, double submit).
    Form,
}

impl Web {
    /// Over TLS with the prefix that keeps other hosts from setting it (RFC 6265bis,
    /// section 4.1.3.2).
    fn name(&self, cookie: Cookie) -> String {
        let name = match cookie {
            Cookie::SignIn => "stoa_signin",
            Cookie::Form => "stoa_form",
        };
        if self.is_secure() { format!("__Host-{name}") } else { name.to_owned() }
    }

    fn is_secure(&self) -> bool {
        self.oauth.provider().issuer.starts_with("https://")
    }

    pub(super) fn cookie(&self, headers: &HeaderMap, cookie: Cookie) -> Option<SecretString> {
        let name = self.name(cookie);
        let all = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
        let mut pairs = all.flat_map(|header| header.split(';')).filter_map(|p| p.split_once('='));
        let (_, value) = pairs.find(|(known, _)| known.trim() == name)?;
        Some(value.trim().to_owned().into())
    }

    /// `Set-Cookie`. Lax: it comes along when an application sends the browser here, and
    /// with no form of theirs.
    pub(super) fn set_cookie(&self, cookie: Cookie, value: &SecretString) -> String {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        let (name, value) = (self.name(cookie), value.expose_secret());
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}")
    }

    pub(super) fn clear_cookie(&self, cookie: Cookie) -> String {
        format!("{}; Max-Age=0", self.set_cookie(cookie, &SecretString::default()))
    }

    /// Whether a form was made here, for this browser.
    pub(super) fn is_our_form(&self, headers: &HeaderMap, in_form: &str) -> bool {
        let Some(cookie) = self.cookie(headers, Cookie::Form) else { return false };
        let cookie = cookie.expose_secret();
        !cookie.is_empty() && bool::from(cookie.as_bytes().ct_eq(in_form.as_bytes()))
    }
}
