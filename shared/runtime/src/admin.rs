//! The admin port: metrics, probes and what is logged, in plain HTTP, never public.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::{Readiness, Shutdown};

/// Renders the process's metrics in Prometheus' text format.
pub type Metrics = Arc<dyn Fn() -> String + Send + Sync>;

/// A bound admin port.
pub struct Admin {
    listener: TcpListener,
    router: Router,
}

impl Admin {
    /// Binds the port.
    pub async fn bind(addr: SocketAddr, readiness: Readiness, metrics: Metrics) -> Result<Self> {
        let listener = crate::bind(addr, "ADMIN_ADDR").await?;
        let router = Router::new()
            .route("/metrics", get(move || async move { metrics() }))
            .route("/log-filter", get(|| async { telemetry::log_filter() }).put(set_log_filter))
            .route("/livez", get(|| async { "ok\n" }))
            .route("/readyz", get(move || ready(readiness)));
        Ok(Self { listener, router })
    }

    /// The address that was bound.
    pub fn addr(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Serves until shutdown.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let stop = shutdown.cancelled_owned();
        Ok(axum::serve(self.listener, self.router).with_graceful_shutdown(stop).await?)
    }
}

/// Takes what `RUST_LOG` takes: `info,orders::core=debug`.
async fn set_log_filter(filter: String) -> (StatusCode, String) {
    match telemetry::set_log_filter(filter.trim()) {
        Ok(()) => (StatusCode::OK, format!("{}\n", telemetry::log_filter())),
        Err(error) => (StatusCode::BAD_REQUEST, format!("no filter: {error:#}\n")),
    }
}

async fn ready(readiness: Readiness) -> (StatusCode, String) {
    if readiness.is_leaving() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n".to_owned());
    }
    let missing = readiness.missing().await;
    if !missing.is_empty() {
        let text = format!("waiting for: {}\n", missing.join(", "));
        return (StatusCode::SERVICE_UNAVAILABLE, text);
    }
    match readiness.degraded().await.as_slice() {
        [] => (StatusCode::OK, "ok\n".to_owned()),
        without => (StatusCode::OK, format!("ok, without: {}\n", without.join(", "))),
    }
}
