//! What is measured while a test runs: all that it does happens on one thread.

use metrics::LocalRecorderGuard;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// Where a test's measurements go.
pub fn recorder() -> PrometheusRecorder {
    PrometheusBuilder::new().build_recorder()
}

/// The counters and gauges of one test.
pub struct Measured(PrometheusHandle);

impl Measured {
    /// From now on everything is measured there.
    pub fn by(recorder: &PrometheusRecorder) -> (Self, LocalRecorderGuard<'_>) {
        (Self(recorder.handle()), metrics::set_default_local_recorder(recorder))
    }

    /// A counter or gauge, with its labels as Prometheus reads them.
    pub fn value(&self, series: &str) -> Option<f64> {
        let text = self.0.render();
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
        Some(value.parse().unwrap())
    }
}
