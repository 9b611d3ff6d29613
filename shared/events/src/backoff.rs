//! Growing, jittered pauses between attempts.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// Counts failures in a row and says how long to pause.
#[derive(Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// It worked: the next pause is the shortest again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// True before the first pause of a row: the failure worth a log line.
    pub(crate) fn is_first(&self) -> bool {
        self.failures == 0
    }

    /// Pauses, or returns at once when the process shuts down.
    pub(crate) async fn pause(&mut self, shutdown: &CancellationToken) {
        let longest = doubled(FIRST, self.failures, LONGEST);
        self.failures = self.failures.saturating_add(1);
        // Processes that lost the same broker must not come back in step.
        let pause = longest.mul_f64(rand::random_range(0.5..=1.0));
        shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
    }
}

/// `first` doubled `times` times, and never more than `longest`.
pub(crate) fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses: Vec<_> = (0..7).map(|n| doubled(FIRST, n, LONGEST).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000]);
        assert_eq!(doubled(FIRST, u32::MAX, LONGEST), LONGEST);
    }
}
