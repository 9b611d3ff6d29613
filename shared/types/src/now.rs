//! The time.

use time::{Duration, OffsetDateTime};

/// Now, to the microsecond: what PostgreSQL keeps, so that an answer and what is
/// read back later are equal.
pub fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now - Duration::nanoseconds(i64::from(now.nanosecond() % 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_below_a_microsecond_is_told() {
        assert_eq!(now().nanosecond() % 1_000, 0);
    }
}
