//! How full the process is: its own resources, and the runtime's.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use metrics::gauge;
use metrics_process::Collector;
use tokio::runtime::Handle;

/// Prometheus' own names for processes
/// (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics).
static PROCESS: LazyLock<Collector> = LazyLock::new(Collector::default);

/// Measures from time to time.
pub struct Saturation {
    runtime: Handle,
    busy: Duration,
    at: Instant,
}

impl Saturation {
    /// Of this process and the runtime that calls.
    pub fn here() -> Self {
        PROCESS.describe();
        Self { runtime: Handle::current(), busy: Duration::ZERO, at: Instant::now() }
    }

    /// Takes the measurements.
    pub fn measure(&mut self) {
        PROCESS.collect();
        let runtime = self.runtime.metrics();
        let workers = runtime.num_workers();
        gauge!("tokio_workers").set(workers as f64);
        gauge!("tokio_alive_tasks").set(runtime.num_alive_tasks() as f64);
        gauge!("tokio_global_queue_depth").set(runtime.global_queue_depth() as f64);
        let busy = (0..workers).map(|n| runtime.worker_total_busy_duration(n)).sum::<Duration>();
        let available = self.at.elapsed().as_secs_f64() * workers as f64;
        if available > 0.0 {
            let ratio = (busy - self.busy).as_secs_f64() / available;
            gauge!("tokio_busy_ratio").set(ratio.min(1.0));
        }
        (self.busy, self.at) = (busy, Instant::now());
    }
}
