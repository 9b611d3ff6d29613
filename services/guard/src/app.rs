//! The composition root: one HTTP handler and the admin port.

use std::net::SocketAddr;

use anyhow::Result;
use axum::Router;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use runtime::{Admin, Metrics, Readiness, Shutdown, Tasks};
use serde_json::json;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::fields;

/// The guard, built but not yet running.
pub struct App {
    listener: TcpListener,
    admin: Admin,
}

impl App {
    /// Binds the ports.
    pub async fn build(config: Config, metrics: Metrics) -> Result<Self> {
        let listener = runtime::bind(config.http_addr, "HTTP_ADDR").await?;
        let admin = Admin::bind(config.runtime.admin_addr, Readiness::default(), metrics).await?;
        Ok(Self { listener, admin })
    }

    /// Where the edge asks.
    pub fn http_addr(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Runs until shutdown.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let router = Router::new().fallback(check);
        let stop = shutdown.clone().cancelled_owned();
        let listener = runtime::without_delay(self.listener);
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop);
        let mut tasks = Tasks::default();
        tasks.spawn("HTTP port", async { Ok(serving.await?) });
        tasks.spawn("admin port", self.admin.run(shutdown.clone()));
        tasks.join(&shutdown).await
    }
}

/// The client's own request, as `ext_authz` repeats it: 200 lets it pass, any other
/// answer goes to the client.
async fn check(method: Method, uri: Uri, body: Bytes) -> Response {
    let unknown = fields::unknown(method.as_str(), uri.path(), &body);
    if unknown.is_empty() {
        return StatusCode::OK.into_response();
    }
    metrics::counter!("guard_refused_total").increment(1);
    let violations: Vec<_> = unknown
        .into_iter()
        .map(|field| json!({"field": field, "description": "is not a field of this request"}))
        .collect();
    let status = json!({
        "code": 3,
        "message": "the body has fields that this method does not take; see field_violations",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "FIELD_UNKNOWN",
                "domain": proto::ERROR_DOMAIN,
            },
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "field_violations": violations,
            },
        ],
    });
    let json = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::BAD_REQUEST, json, status.to_string()).into_response()
}
