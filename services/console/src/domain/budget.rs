//! Promises: what is left of each method's error budget, and how fast it goes.

use serde::Serialize;

use super::histogram::{is_failure, is_promised};
use super::house::{House, Promise};
use super::reading::{Readings, Sample};

/// A method and how it keeps its promise.
#[derive(Debug, Serialize)]
pub struct Budget {
    pub method: String,
    pub workload: String,
    /// For example 0.999.
    pub availability: f64,
    /// Seconds within which 99 % are answered.
    pub latency: f64,
    /// Requests in the window.
    pub requests: f64,
    pub failures: Kept,
    pub slowness: Kept,
}

/// How one of the two promises is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Kept {
    /// The share of the window's budget that is left; below zero when it is overdrawn, none
    /// without requests.
    pub left: Option<f64>,
    /// How many times faster than allowed it went in the last five minutes, and in the
    /// last hour.
    pub burn_5m: Option<f64>,
    pub burn_1h: Option<f64>,
}

/// The share of answers that may come late.
const LATE: f64 = 0.01;

/// Every promise of the contract; the most endangered first.
pub fn budgets(house: &House, readings: &Readings) -> Vec<Budget> {
    let mut budgets: Vec<Budget> = house
        .methods
        .iter()
        .filter_map(|method| {
            let promise = method.promise?;
            let window = Counts::of(readings, "window", &method.name, promise);
            let short = Counts::of(readings, "5m", &method.name, promise);
            let hour = Counts::of(readings, "1h", &method.name, promise);
            let allowed = 1.0 - promise.availability;
            let kept = |share: fn(&Counts) -> Option<f64>, allowed: f64| Kept {
                left: share(&window).map(|share| 1.0 - share / allowed),
                burn_5m: share(&short).map(|share| share / allowed),
                burn_1h: share(&hour).map(|share| share / allowed),
            };
            Some(Budget {
                method: method.name.clone(),
                workload: method.workload.clone(),
                availability: promise.availability,
                latency: promise.latency,
                requests: window.all,
                failures: kept(Counts::failed_share, allowed),
                slowness: kept(Counts::slow_share, LATE),
            })
        })
        .collect();
    budgets.sort_by(|a, b| {
        let worst = |budget: &Budget| {
            let left = [budget.failures.left, budget.slowness.left];
            left.into_iter().flatten().fold(f64::INFINITY, f64::min)
        };
        worst(a).total_cmp(&worst(b)).then_with(|| a.method.cmp(&b.method))
    });
    budgets
}

/// Requests of one method in one window.
#[derive(Default)]
struct Counts {
    all: f64,
    failed: f64,
    /// Those that did not fail, and those of them that were in time.
    good: f64,
    timely: f64,
}

impl Counts {
    fn of(readings: &Readings, window: &str, method: &str, promise: Promise) -> Self {
        let question = |what: &str| -> Vec<&Sample> {
            let all = readings.of(match (what, window) {
                ("all", "window") => "promised_window",
                ("all", "1h") => "promised_1h",
                ("all", _) => "promised_5m",
                (_, "window") => "timely_window",
                (_, "1h") => "timely_1h",
                _ => "timely_5m",
            });
            let of = |s: &&Sample| s.label("rpc_method").trim_start_matches('/') == method;
            all.iter().filter(of).filter(|s| s.value.is_finite()).collect()
        };
        let mut counts = Self::default();
        for sample in question("all") {
            let status = sample.label("rpc_response_status_code");
            if !is_promised(status) {
                continue;
            }
            counts.all += sample.value;
            if is_failure(status) {
                counts.failed += sample.value;
            } else {
                counts.good += sample.value;
            }
        }
        let in_time = |sample: &&Sample| {
            let status = sample.label("rpc_response_status_code");
            let bound = sample.label("le").parse::<f64>().unwrap_or(f64::NAN);
            is_promised(status) && !is_failure(status) && (bound - promise.latency).abs() < 1e-9
        };
        counts.timely = question("timely").into_iter().filter(in_time).map(|s| s.value).sum();
        counts
    }

    fn failed_share(&self) -> Option<f64> {
        (self.all >= 0.5).then(|| self.failed / self.all)
    }

    fn slow_share(&self) -> Option<f64> {
        // Two questions are answered at two moments: a little more may be in time than came.
        (self.good >= 0.5).then(|| (1.0 - self.timely / self.good).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::house::Method;

    fn sample(status: &str, le: &str, value: f64) -> Sample {
        let labels = [("rpc_method", "a.B/C"), ("rpc_response_status_code", status), ("le", le)];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Sample { labels: labels.into(), value }
    }

    fn budget(readings: &Readings) -> Budget {
        let promise = Some(Promise { availability: 0.999, latency: 0.5 });
        let method = Method { name: "a.B/C".to_owned(), workload: "a".to_owned(), promise };
        let house = House { methods: vec![method], ..House::default() };
        budgets(&house, readings).remove(0)
    }

    fn round(value: Option<f64>) -> Option<f64> {
        value.map(|value| (value * 1000.0).round() / 1000.0)
    }

    #[test]
    fn failures_and_lateness_use_up_what_is_allowed() {
        let mut readings = Readings::default();
        let all = vec![
            sample("OK", "", 9_995.0),
            sample("UNAVAILABLE", "", 5.0),
            sample("PERMISSION_DENIED", "", 100_000.0),
        ];
        readings.0.insert("promised_window", all);
        let timely = vec![
            sample("OK", "0.5", 9_945.0),
            sample("OK", "1", 9_995.0),
            sample("UNAVAILABLE", "0.5", 5.0),
        ];
        readings.0.insert("timely_window", timely);
        let budget = budget(&readings);
        assert_eq!(round(budget.failures.left), Some(0.5));
        assert_eq!(round(budget.slowness.left), Some(0.5));
        assert_eq!((budget.failures.burn_5m, budget.requests), (None, 10_000.0));
    }

    #[test]
    fn a_burn_is_how_many_times_too_fast() {
        let mut readings = Readings::default();
        let all = vec![sample("OK", "", 90.0), sample("INTERNAL", "", 10.0)];
        readings.0.insert("promised_5m", all);
        assert_eq!(round(budget(&readings).failures.burn_5m), Some(100.0));
    }

    #[test]
    fn nobody_knows_of_a_method_that_nobody_calls() {
        let budget = budget(&Readings::default());
        assert_eq!((budget.failures, budget.slowness), (Kept::default(), Kept::default()));
    }
}
