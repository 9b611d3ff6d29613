//! The composition root: one HTTP handler and the admin port.

use std::net::SocketAddr;

use anyhow::Result;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use runtime::{Admin, Metrics, Readiness, Shutdown, Tasks};
use tokio::net::TcpListener;

use crate::check::Question;
use crate::config::Config;

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
        // The edge limits bodies, by the contract.
        let router = Router::new().fallback(check).layer(DefaultBodyLimit::disable());
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
async fn check(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let question = Question {
        verb: method.as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        headers: &headers,
        body: &body,
    };
    let Err(refusal) = question.answer() else { return StatusCode::OK.into_response() };
    metrics::counter!("guard_refused_total", "reason" => refusal.reason).increment(1);
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    let json = [(header::CONTENT_TYPE, "application/json")];
    (status, json, refusal.to_string()).into_response()
}
