//! For how long a closed reservation is remembered, and orders too old to be known.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How much longer than promised, for clocks that differ.
const MARGIN: Duration = Duration::days(1);

/// How long closed reservations are kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention(pub Duration);

impl Retention {
    /// Reservations that were closed before then are deleted.
    pub fn horizon(self, now: OffsetDateTime) -> OffsetDateTime {
        now - self.0 - MARGIN
    }

    /// True for an order so old that its reservation may have been deleted. Orders
    /// are numbered by UUIDv7, which says when the number was given; no reservation
    /// was closed before its order had a number.
    pub fn may_have_forgotten(self, order: Uuid, now: OffsetDateTime) -> bool {
        let numbered = order.get_timestamp().map(|at| at.to_unix().0);
        let numbered = numbered.and_then(|seconds| i64::try_from(seconds).ok());
        numbered.is_some_and(|seconds| seconds < (now - self.0).unix_timestamp())
    }
}

#[cfg(test)]
mod tests {
    use uuid::{NoContext, Timestamp};

    use super::*;

    #[test]
    fn whatever_may_be_deleted_counts_as_forgotten() {
        let (now, keep) = (OffsetDateTime::from_unix_timestamp(1_800_000_000), Duration::days(30));
        let (now, retention) = (now.expect("a time"), Retention(keep));
        let order_of = |at: OffsetDateTime| {
            let seconds = u64::try_from(at.unix_timestamp()).expect("after 1970");
            Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, 0))
        };
        assert!(retention.may_have_forgotten(order_of(retention.horizon(now)), now));
        assert!(!retention.may_have_forgotten(order_of(now - keep), now));
        assert!(!retention.may_have_forgotten(order_of(now), now));
    }
}
