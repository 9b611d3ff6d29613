//! What is served under `/docs`, and what a browser may do with it.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tower::ServiceExt as _;
use tower_http::compression::CompressionLayer;
use tower_http::services::{ServeDir, ServeFile};

use crate::config::Config;

/// The viewer's files that the page needs.
pub const VIEWER: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

const PAGE: &str = include_str!("../page/index.html");
const SCRIPT: &str = include_str!("../page/start.js");
const STYLE: &str = include_str!("../page/page.css");
const ICON: &str = include_str!("../page/icon.svg");

/// Everything from here, and calls of the API behind the same edge. The viewer's
/// style sheet has pictures in `data:` addresses.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// Browsers ask again each time and are mostly answered 304: after an update nobody
/// sees an old document.
const REVALIDATE: &str = "no-cache";

/// Pages for GET and HEAD; everything else does not exist.
pub fn router(config: &Config) -> Router {
    let document = ServeFile::new(&config.document);
    let viewer = ServeDir::new(&config.viewer_dir).append_index_html_on_directories(false);
    let page = get(|| own("text/html; charset=utf-8", PAGE));
    Router::new()
        .route("/docs", page.clone())
        .route("/docs/", page)
        .route("/docs/start.js", get(|| own("text/javascript; charset=utf-8", SCRIPT)))
        .route("/docs/page.css", get(|| own("text/css; charset=utf-8", STYLE)))
        .route("/docs/icon.svg", get(|| own("image/svg+xml", ICON)))
        .route("/docs/openapi.yaml", get(|request: Request| serve_document(document, request)))
        .nest_service("/docs/viewer", viewer)
        .fallback(nothing)
        .layer(middleware::from_fn(guarded))
        // The viewer is 1.7 MB of text. The edge leaves what has an ETag as it is.
        .layer(CompressionLayer::new())
}

async fn own(content_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

/// YAML's own media type (RFC 9512); the file's ending would give an older one.
async fn serve_document(document: ServeFile, request: Request) -> Response {
    let answer = match document.oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    };
    let mut answer = answer.into_response();
    if answer.status().is_success() {
        let yaml = HeaderValue::from_static("application/yaml");
        answer.headers_mut().insert(header::CONTENT_TYPE, yaml);
    }
    answer
}

/// Headers of every answer; failures of the directory become our own.
async fn guarded(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    if answer.status().is_client_error() && answer.status() != StatusCode::RANGE_NOT_SATISFIABLE {
        answer = nothing().await;
    }
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, REVALIDATE),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in headers {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// As the edge says it.
async fn nothing() -> Response {
    let status = json!({
        "code": 5,
        "message": "There is nothing here.",
        "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "ROUTE_NOT_FOUND",
            "domain": proto::ERROR_DOMAIN,
        }],
    });
    let json = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::NOT_FOUND, json, status.to_string()).into_response()
}
