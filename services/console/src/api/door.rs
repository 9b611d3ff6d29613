//! Who is let in, and what a browser may do with what it is given.
//!
//! The page shows how the platform does and asks nobody who he is: it is for whoever sits
//! at this machine. A page from elsewhere that was opened there must not read it, by a
//! name of its own that leads here (DNS rebinding) or from another origin.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Everything from here; no inline script, no inline style, no frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'";

/// The names under which it may be asked.
#[derive(Clone, Debug)]
pub struct Names(Arc<Vec<String>>);

impl Names {
    /// This machine's own with the port that was bound, and those of the setting.
    pub fn new(bound: SocketAddr, allowed: &[String]) -> Self {
        let port = bound.port();
        let mut names: Vec<String> =
            ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{port}")).into();
        if !bound.ip().is_unspecified() {
            names.push(bound.to_string());
        }
        names.extend(allowed.iter().map(|name| name.to_lowercase()));
        Self(Arc::new(names))
    }

    fn know(&self, name: &str) -> bool {
        self.0.contains(&name.to_lowercase())
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let text =
            |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("?"));
        let host = text(header::HOST).is_some_and(|host| self.know(host));
        // Browsers send it with everything that is not a plain visit.
        let origin = text(header::ORIGIN).is_none_or(|origin| {
            origin.split_once("://").is_some_and(|(_, authority)| self.know(authority))
        });
        host && origin
    }
}

/// The layer around everything.
pub async fn guarded(State(names): State<Names>, request: Request, next: Next) -> Response {
    let mut answer = if names.admits(request.headers()) {
        next.run(request).await
    } else {
        let why = "This console answers to the names of its own machine (ALLOWED_HOSTS).\n";
        (StatusCode::MISDIRECTED_REQUEST, why).into_response()
    };
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in headers {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let isolated = HeaderValue::from_static("same-origin");
    answer.headers_mut().insert("cross-origin-opener-policy", isolated.clone());
    answer.headers_mut().insert("cross-origin-resource-policy", isolated);
    answer
}

/// Whether a request may change something: only what a page elsewhere cannot send.
pub fn is_deliberate(method: &Method, headers: &HeaderMap) -> bool {
    let json = |value: &HeaderValue| value.as_bytes().starts_with(b"application/json");
    *method == Method::POST && headers.get(header::CONTENT_TYPE).is_some_and(json)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn admits(host: &str, origin: Option<&str>) -> bool {
        let bound = "127.0.0.1:7300".parse().unwrap();
        let names = Names::new(bound, &["console.example:443".to_owned()]);
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        names.admits(&headers)
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        assert!(admits("127.0.0.1:7300", None) && admits("LocalHost:7300", None));
        assert!(admits("[::1]:7300", None) && admits("console.example:443", None));
        for host in
            ["evil.example:7300", "127.0.0.1", "127.0.0.1:80", "localhost.evil.example:7300"]
        {
            assert!(!admits(host, None), "{host}");
        }
    }

    #[test]
    fn a_page_from_elsewhere_is_not() {
        assert!(admits("127.0.0.1:7300", Some("http://127.0.0.1:7300")));
        for origin in ["https://evil.example", "null", "http://127.0.0.1:8080"] {
            assert!(!admits("127.0.0.1:7300", Some(origin)), "{origin}");
        }
    }
}
