//! Quantiles of Prometheus' histograms, and what counts as a failure.

use std::collections::BTreeMap;

use super::reading::Sample;

/// Cumulative buckets of some series together: upper bound in nanoseconds (so that it
/// has an order) and how many were within it.
#[derive(Clone, Debug, Default)]
pub struct Buckets(BTreeMap<u64, f64>);

impl Buckets {
    /// Adds one `_bucket` series, in seconds.
    pub fn add(&mut self, sample: &Sample) {
        self.add_in(sample, 1.0);
    }

    /// The same in another unit, of so many seconds.
    pub fn add_in(&mut self, sample: &Sample, unit: f64) {
        let bound = match sample.label("le") {
            "+Inf" => u64::MAX,
            text => match text.parse::<f64>() {
                Ok(bound) => (bound * unit * 1e9) as u64,
                Err(_) => return,
            },
        };
        if sample.value.is_finite() {
            *self.0.entry(bound).or_default() += sample.value;
        }
    }

    /// Adds those of other series.
    pub fn merge(&mut self, other: &Self) {
        for (bound, value) in &other.0 {
            *self.0.entry(*bound).or_default() += value;
        }
    }

    /// How many there were.
    pub fn count(&self) -> f64 {
        self.0.get(&u64::MAX).copied().unwrap_or_default()
    }

    /// The value in seconds that a share `q` of them does not exceed, assumed even in each
    /// bucket as Prometheus' `histogram_quantile` does; none without any. What is over the
    /// last bound is at least that.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.count();
        if total <= 0.0 {
            return None;
        }
        let rank = q * total;
        let (mut low, mut below) = (0_u64, 0.0);
        for (bound, count) in &self.0 {
            if *count >= rank && *count > below {
                if *bound == u64::MAX {
                    return Some(low as f64 / 1e9);
                }
                let share = (rank - below) / (count - below);
                return Some((low as f64 + (bound - low) as f64 * share.clamp(0.0, 1.0)) / 1e9);
            }
            (low, below) = (*bound, count.max(below));
        }
        Some(low as f64 / 1e9)
    }
}

/// Whether a status says that the platform failed, not the one who asked. As the
/// contract's recording rules have it, however the status is written.
pub fn is_failure(status: &str) -> bool {
    const FAILURES: [&str; 6] =
        ["unknown", "deadlineexceeded", "unimplemented", "internal", "unavailable", "dataloss"];
    FAILURES.contains(&plain(status).as_str())
}

/// Whether the status of a request counts towards a promise: what strangers are refused,
/// and what nobody waited for, does not.
pub fn is_promised(status: &str) -> bool {
    !["unauthenticated", "permissiondenied", "cancelled"].contains(&plain(status).as_str())
}

fn plain(status: &str) -> String {
    status.replace('_', "").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(counts: &[(&str, f64)]) -> Buckets {
        let mut buckets = Buckets::default();
        for (le, value) in counts {
            let labels = [("le".to_owned(), (*le).to_owned())].into();
            buckets.add(&Sample { labels, value: *value });
        }
        buckets
    }

    #[test]
    fn a_quantile_lies_in_its_bucket() {
        let buckets = buckets(&[("0.1", 50.0), ("0.2", 90.0), ("1.0", 100.0), ("+Inf", 100.0)]);
        assert_eq!(buckets.quantile(0.5), Some(0.1));
        assert_eq!(buckets.quantile(0.7), Some(0.15));
        assert_eq!(buckets.quantile(0.99).map(|v| (v * 100.0).round()), Some(92.0));
    }

    #[test]
    fn what_exceeds_the_last_bound_is_at_least_that() {
        assert_eq!(buckets(&[("0.5", 1.0), ("+Inf", 10.0)]).quantile(0.99), Some(0.5));
    }

    #[test]
    fn there_is_no_quantile_of_nothing() {
        assert_eq!(buckets(&[]).quantile(0.99), None);
        assert_eq!(buckets(&[("0.5", 0.0), ("+Inf", 0.0)]).quantile(0.99), None);
        assert_eq!(buckets(&[("0.5", f64::NAN), ("+Inf", f64::NAN)]).quantile(0.99), None);
        assert_eq!(buckets(&[("nonsense", 1.0)]).quantile(0.99), None);
    }

    #[test]
    fn the_same_bounds_of_several_series_are_one() {
        let both = buckets(&[("0.1", 1.0), ("+Inf", 1.0), ("0.1", 0.0), ("+Inf", 1.0)]);
        assert_eq!(both.count(), 2.0);
        assert_eq!(both.quantile(0.5), Some(0.1));
    }

    #[test]
    fn a_refusal_is_no_failure_and_a_stranger_is_not_counted() {
        assert!(is_failure("DEADLINE_EXCEEDED") && is_failure("Unavailable"));
        assert!(!is_failure("NOT_FOUND") && !is_failure("OK"));
        assert!(is_promised("NOT_FOUND") && is_promised("UNAVAILABLE"));
        assert!(!is_promised("PERMISSION_DENIED") && !is_promised("CANCELLED"));
    }
}
