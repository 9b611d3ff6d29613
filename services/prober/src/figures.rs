//! What is measured of journeys.

use std::time::Duration;

use crate::journey::{Depth, Journey, Step};

/// Shows every count from the start: a rise from nothing is not seen as one. Of steps that
/// are never made there is none.
pub fn begin(depth: Depth) {
    for step in Step::ALL.into_iter().filter(|step| depth.has(*step)) {
        metrics::counter!("prober_step_failures_total", "step" => step.name()).increment(0);
    }
}

/// A step worked.
pub fn worked(step: Step, took: Duration) {
    metrics::histogram!("prober_step_duration_seconds", "step" => step.name())
        .record(took.as_secs_f64());
}

/// A step failed.
pub fn failed(step: Step) {
    metrics::counter!("prober_step_failures_total", "step" => step.name()).increment(1);
}

/// A journey came to its end, or not.
pub fn journey(journey: &Journey) {
    let worked = journey.outcome.is_ok();
    metrics::gauge!("prober_journey_success").set(f64::from(u8::from(worked)));
    if worked {
        let now = types::now().unix_timestamp();
        metrics::gauge!("prober_last_success_timestamp_seconds").set(now as f64);
    }
}
