//! The composition root: the receiver of traces, the page, the admin port.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use axum::{Router, middleware};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::TraceServiceServer;
use runtime::{Admin, Metrics, Readiness, Shutdown, Tasks};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::codec::CompressionEncoding;
use tower_http::compression::{CompressionLayer, Predicate as _, predicate};

use crate::api::door::{Names, guarded};
use crate::api::notified::{self, Notices};
use crate::api::otlp::Receiver;
use crate::api::page::{self, Page};
use crate::api::questions::{self, Asked};
use crate::api::runbooks::{self, Runbooks};
use crate::config::Config;
use crate::core::live::Live;
use crate::core::ports::Machine;
use crate::core::traces::Traces;
use crate::infrastructure::contract;
use crate::infrastructure::machine::{Local, Remote};
use crate::infrastructure::prometheus::Prometheus;

/// What a sender may send at once.
const LARGEST_EXPORT: usize = 16 * 1024 * 1024;
/// What Alertmanager may.
const LARGEST_NOTICE: usize = 1024 * 1024;

/// The console, built but not yet served.
pub struct App {
    config: Config,
    live: Arc<Live>,
    page: TcpListener,
    otlp: TcpListener,
    admin: Admin,
}

impl App {
    /// Binds the ports. Prometheus need not be there: the page says when it is away.
    pub async fn build(config: Config, metrics: Metrics) -> Result<Self> {
        let house = contract::house()?;
        let (window, budget_window) = (config.rate_window.clone(), config.budget_window.clone());
        let prometheus = Prometheus::new(&config.prometheus_url, &house, &window, &budget_window)?;
        let machine: Arc<dyn Machine> = match &config.processes_file {
            Some(file) => Arc::new(Local::new(file)?),
            None => Arc::new(Remote),
        };
        let traces = Arc::new(Traces::new(config.limits()));
        let windows = (window, budget_window);
        let live = Live::new(house, traces, Arc::new(prometheus), machine, windows);
        let page = runtime::bind(config.http_addr, "HTTP_ADDR").await?;
        let otlp = runtime::bind(config.otlp_addr, "OTLP_ADDR").await?;
        let admin = Admin::bind(config.runtime.admin_addr, Readiness::default(), metrics).await?;
        Ok(Self { config, live: Arc::new(live), page, otlp, admin })
    }

    /// Where browsers ask.
    pub fn http_addr(&self) -> Result<SocketAddr> {
        Ok(self.page.local_addr()?)
    }

    /// Where traces are sent.
    pub fn otlp_addr(&self) -> Result<SocketAddr> {
        Ok(self.otlp.local_addr()?)
    }

    /// Runs until shutdown.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let names = Names::new(self.page.local_addr()?, &self.config.allowed_hosts);
        let router = router(&self.config, self.live.clone(), names, &shutdown);
        let receiver = TraceServiceServer::new(Receiver::new(self.live.traces.clone()))
            .accept_compressed(CompressionEncoding::Gzip)
            .max_decoding_message_size(LARGEST_EXPORT);
        let receiving =
            tonic::transport::Server::builder().add_service(receiver).serve_with_incoming_shutdown(
                TcpListenerStream::new(self.otlp),
                shutdown.clone().cancelled_owned(),
            );
        let listener = runtime::without_delay(self.page);
        let serving = axum::serve(listener, router)
            .with_graceful_shutdown(shutdown.clone().cancelled_owned());
        let mut tasks = Tasks::default();
        tasks.spawn("page", async { Ok(serving.await?) });
        tasks.spawn("receiver of traces", async { Ok(receiving.await?) });
        tasks.spawn("admin port", self.admin.run(shutdown.clone()));
        tasks.join(&shutdown).await
    }
}

fn router(config: &Config, live: Arc<Live>, names: Names, shutdown: &Shutdown) -> Router {
    let asked = Asked { live, shutdown: shutdown.clone() };
    let page = Page { dir: config.page_dir.clone() };
    let runbooks = Runbooks { dir: config.runbooks_dir.clone() };
    let views = ["/", "/traces", "/traces/{id}", "/orders", "/queues", "/promises", "/processes"];
    let views =
        views.into_iter().fold(Router::new(), |router, view| router.route(view, get(page::index)));
    Router::new()
        .route("/api/live", get(questions::stream))
        .route("/api/now", get(questions::now))
        .route("/api/traces", get(questions::traces))
        .route("/api/traces/{id}", get(questions::trace))
        .route("/api/orders", get(questions::orders))
        .with_state(asked)
        .merge(views.route("/page/{name}", get(page::file)).with_state(page))
        .route("/runbooks/{name}", get(runbooks::page).with_state(runbooks))
        .route(
            "/api/alerts",
            get(notified::list).post(notified::told).with_state(Notices::default()),
        )
        .layer(DefaultBodyLimit::max(LARGEST_NOTICE))
        // A stream must arrive as it is written.
        .layer(
            CompressionLayer::new().compress_when(
                predicate::DefaultPredicate::new()
                    .and(predicate::NotForContentType::const_new("text/event-stream")),
            ),
        )
        .layer(middleware::from_fn_with_state(names, guarded))
}
