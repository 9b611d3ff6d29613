//! The life of a process: settings, tasks, shutdown, readiness, admin port.

mod admin;
mod readiness;
mod settings;
mod tasks;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

pub use admin::{Admin, Metrics};
use anyhow::{Context, Result};
use axum::serve::{Listener, ListenerExt};
pub use readiness::Readiness;
pub use settings::settings;
pub use tasks::Tasks;
use telemetry::{Saturation, TelemetryConfig};
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
pub use tokio_util::sync::CancellationToken as Shutdown;

/// Process settings.
#[derive(clap::Args, Clone, Debug)]
pub struct RuntimeConfig {
    /// Where `/metrics`, `/livez` and `/readyz` are served, in plain HTTP.
    #[arg(long, env = "ADMIN_ADDR", default_value = "127.0.0.1:9090")]
    pub admin_addr: SocketAddr,
    /// How long a missing dependency is waited for at start, in seconds.
    #[arg(long, env = "STARTUP_DEADLINE_SECONDS", default_value_t = 60)]
    pub startup_deadline_seconds: u64,
    /// At SIGTERM, how long requests are still taken after the process has said that
    /// it is not ready, in milliseconds: until load balancers have noticed. Envoy asks
    /// every 2 s.
    #[arg(long, env = "DRAIN_NOTICE_MS", default_value_t = 5_000)]
    pub drain_notice_ms: u64,
}

impl RuntimeConfig {
    /// How long a missing dependency is waited for at start.
    pub fn startup_deadline(&self) -> Duration {
        Duration::from_secs(self.startup_deadline_seconds)
    }

    /// How long requests are still taken when the process is asked to end.
    pub fn drain_notice(&self) -> Duration {
        Duration::from_millis(self.drain_notice_ms)
    }
}

/// A token that is cancelled by SIGTERM or SIGINT.
pub fn shutdown_on_signal() -> Result<Shutdown> {
    let shutdown = Shutdown::new();
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    let token = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        tracing::info!("shutting down");
        token.cancel();
    });
    Ok(shutdown)
}

/// The body of every process's `main`: telemetry, signals, and one clear line when
/// it cannot go on.
pub async fn main<F, Fut>(process: &'static str, config: &TelemetryConfig, run: F) -> ExitCode
where
    F: FnOnce(Metrics, Shutdown) -> Fut,
    Fut: Future<Output = Result<()>>,
{
    let result = async {
        let telemetry = telemetry::init(process, config)?;
        let shutdown = shutdown_on_signal()?;
        let handle = telemetry.metrics();
        tokio::spawn(upkeep(telemetry.metrics()));
        run(Arc::new(move || handle.render()), shutdown).await
    };
    match result.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{process}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Takes in what was measured. Reading the metrics does so too, but where nobody
/// reads them every request would leave something behind for ever.
async fn upkeep(metrics: telemetry::Metrics) {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    let mut saturation = Saturation::here();
    loop {
        ticks.tick().await;
        saturation.measure();
        metrics.run_upkeep();
    }
}

/// The listener with `TCP_NODELAY` on every connection: without it an answer in two
/// writes waits 40 ms for a delayed acknowledgement.
pub fn without_delay(listener: TcpListener) -> impl Listener<Addr = SocketAddr> {
    listener.tap_io(|stream| {
        // A connection that is gone already fails at its first read.
        let _ = stream.set_nodelay(true);
    })
}

/// Binds a listener, naming the setting when that fails.
pub async fn bind(addr: SocketAddr, setting: &str) -> Result<TcpListener> {
    TcpListener::bind(addr).await.with_context(|| format!("cannot listen on {addr} ({setting})"))
}

/// The same where other processes of this user may listen, too (`SO_REUSEPORT`): the
/// kernel gives each connection to one of them.
pub fn bind_beside_others(addr: SocketAddr, setting: &str) -> Result<TcpListener> {
    let listen = || {
        let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(true)?;
        socket.bind(addr)?;
        socket.listen(BACKLOG)
    };
    listen().with_context(|| format!("cannot listen on {addr} ({setting})"))
}

/// As `TcpListener::bind` has it.
const BACKLOG: u32 = 1024;
