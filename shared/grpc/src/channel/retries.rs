//! How often and when calls to one callee are made again.

use std::time::Duration;

use tower::retry::budget::{Budget as _, TpsBudget};

/// The share of calls that may be made again, of those in the last [`TTL`]. As at the
/// edge and in the mesh (`contract/src/resilience.rs`).
const SHARE: f32 = 0.2;
/// What may be made again on top, a second: for those who seldom call.
const FLOOR: u32 = 3;
const TTL: Duration = Duration::from_secs(10);

/// The first pause is up to so long, each next one up to twice as long.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// What keeps retries from bringing down who is slow already (Site Reliability
/// Engineering, chapter 21, "Deciding to Retry"; gRFC A6, "Throttling").
#[derive(Debug)]
pub(super) struct RetryBudget(TpsBudget);

impl RetryBudget {
    pub(super) fn new() -> Self {
        Self(TpsBudget::new(TTL, FLOOR, SHARE))
    }

    /// Counts a call.
    pub(super) fn deposit(&self) {
        self.0.deposit();
    }

    /// Whether a call may be made again; then it is counted.
    pub(super) fn withdraw(&self) -> bool {
        self.0.withdraw()
    }
}

/// The pause before the nth retry, from 0: anywhere up to an exponentially growing
/// limit ("full jitter"), after what the callee asked for. `random` is in 0..1.
pub(super) fn pause(retry: u32, asked: Duration, random: f64) -> Duration {
    let limit = FIRST.saturating_mul(2_u32.saturating_pow(retry)).min(LONGEST);
    asked.saturating_add(limit.mul_f64(random))
}

/// Counts what became of a wish to try again.
pub(super) fn count(callee: &'static str, outcome: &'static str) {
    metrics::counter!("rpc_client_retries_total", "callee" => callee, "outcome" => outcome)
        .increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_a_share_of_calls_and_a_floor() {
        let budget = RetryBudget::new();
        let spend = || (0..).take_while(|_| budget.withdraw()).count();
        assert_eq!(spend(), 30, "3 a second for 10 seconds");
        (0..100).for_each(|_| budget.deposit());
        assert_eq!(spend(), 20, "20 % of 100");
        assert_eq!(spend(), 0);
    }

    #[test]
    fn pauses_grow_and_are_anywhere_below_their_limit() {
        let longest = |retry| pause(retry, Duration::ZERO, 1.0).as_millis();
        assert_eq!([0, 1, 2, 5, 40].map(longest), [50, 100, 200, 1000, 1000]);
        assert_eq!(pause(3, Duration::ZERO, 0.0), Duration::ZERO);
    }

    #[test]
    fn nobody_comes_back_before_the_callee_wants() {
        let asked = Duration::from_secs(2);
        assert_eq!(pause(0, asked, 0.0), asked);
        assert_eq!(pause(0, asked, 1.0), asked + FIRST);
    }
}
