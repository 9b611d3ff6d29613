//! The gRPC port: who may connect, the gate, health and reflection around a service's API.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::{Request, Response};
use proto::policy::METHODS;
use runtime::Shutdown;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::{Routes, RoutesBuilder};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower::Service;
use tower_http::catch_panic::CatchPanicLayer;

use crate::access;
use crate::gate::GateLayer;
use crate::load::{Load, LoadConfig};
use crate::mesh::incoming;
use crate::{Mesh, Problem, Verifier};

/// Server settings.
#[derive(clap::Args, Clone, Debug)]
pub struct ServerConfig {
    /// Where the API is served, by gRPC; over mTLS with `MESH_TLS=native`.
    #[arg(long, env = "GRPC_ADDR", default_value = "127.0.0.1:50051")]
    pub grpc_addr: SocketAddr,
    /// Lets a second process of the service listen on the same port: a restart on one
    /// machine that loses no request. Connections go to either until one has ended.
    #[arg(long, env = "REUSE_PORT")]
    pub reuse_port: bool,
    #[command(flatten)]
    pub load: LoadConfig,
}

/// How long requests in flight may take to finish at shutdown.
const DRAIN: Duration = Duration::from_secs(8);

/// A bound gRPC port.
pub struct Server {
    listener: TcpListener,
    gate: GateLayer,
    mesh: Mesh,
    routes: RoutesBuilder,
    pages: axum::Router,
    health: HealthReporter,
}

impl Server {
    /// Binds the port of a workload.
    pub async fn bind(
        workload: &str,
        config: &ServerConfig,
        mesh: &Mesh,
        verifier: Verifier,
    ) -> Result<Self> {
        let listener = match config.reuse_port {
            true => runtime::bind_beside_others(config.grpc_addr, "GRPC_ADDR")?,
            false => runtime::bind(config.grpc_addr, "GRPC_ADDR").await?,
        };
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_service_status("", ServingStatus::NotServing).await;
        let mut routes = RoutesBuilder::default();
        routes.add_service(health_service);
        routes.add_service(reflection(workload)?.build_v1()?);
        routes.add_service(reflection(workload)?.build_v1alpha()?);
        let load = Load::new(&config.load);
        let gate = GateLayer { verifier, domain: mesh.domain(), load, pages: &[] };
        let pages = axum::Router::new();
        Ok(Self { listener, gate, mesh: mesh.clone(), routes, pages, health })
    }

    /// Adds a service of the API.
    #[allow(clippy::should_implement_trait)]
    pub fn add<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Response: axum::response::IntoResponse,
        S::Future: Send + 'static,
    {
        self.routes.add_service(service);
        self
    }

    /// Adds pages, HTTP that is no RPC, for those who come through the edge. A path that
    /// ends with `/` stands for everything below it.
    ///
    /// Fails when one of them covers a method, whose policy would be walked around.
    pub fn add_pages(
        mut self,
        paths: &'static [&'static str],
        pages: axum::Router,
    ) -> Result<Self> {
        let covered = METHODS.iter().find(|method| access::is_page(paths, method.path));
        ensure!(covered.is_none(), "pages cover {}", covered.map_or("", |m| m.path));
        self.gate.pages = paths;
        self.pages = pages;
        Ok(self)
    }

    /// The address that was bound.
    pub fn addr(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Serves until shutdown; says `SERVING` only while `ready` is true.
    pub async fn run(self, ready: watch::Receiver<bool>, shutdown: Shutdown) -> Result<()> {
        // For as long as requests are served, from before the first to the last that was begun.
        let verifier = self.gate.verifier.clone();
        let mut revocations = pin!(verifier.clone().follow_revocations());
        tokio::select! {
            () = verifier.asked_for_revocations() => {}
            never = &mut revocations => match never {},
        }
        tokio::spawn(follow(self.health, ready));
        let routes = Routes::from(self.routes.routes().into_axum_router().merge(self.pages));
        let router = tonic::transport::Server::builder()
            .max_connection_age(self.mesh.connection_age())
            .http2_keepalive_interval(Some(Duration::from_secs(20)))
            .max_concurrent_streams(1_000)
            // Outermost: whatever happens inside, the caller gets a status.
            .layer(CatchPanicLayer::custom(panicked))
            // Whether there is room; who calls, and whether they may; then deadline and
            // measurement.
            .layer(self.gate)
            .add_routes(routes);
        let incoming = incoming(self.listener, self.mesh);
        let serving =
            router.serve_with_incoming_shutdown(incoming, shutdown.clone().cancelled_owned());
        let overdue = async {
            shutdown.cancelled().await;
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            served = serving => Ok(served?),
            () = overdue => {
                tracing::warn!("requests were still in flight at the end of the drain time");
                Ok(())
            }
            never = revocations => match never {},
        }
    }
}

/// Reflection over the whole contract, listing what this workload serves.
fn reflection(workload: &str) -> Result<tonic_reflection::server::Builder<'static>> {
    let mut builder = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name("grpc.health.v1.Health");
    for method in METHODS.iter().filter(|m| m.workload == workload) {
        let service = method.path.split('/').nth(1).context("a path without a service")?;
        builder = builder.with_service_name(service);
    }
    Ok(builder)
}

async fn follow(health: HealthReporter, mut ready: watch::Receiver<bool>) {
    loop {
        let up = *ready.borrow_and_update();
        let status = if up { ServingStatus::Serving } else { ServingStatus::NotServing };
        health.set_service_status("", status).await;
        if ready.changed().await.is_err() {
            break;
        }
    }
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response<Body> {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    tonic::Status::from(Problem::internal(format!("panic: {text}"))).into_http()
}
