//! How often somebody may guess a password or code (OWASP ASVS 2.2.1).

use time::Duration;

/// How many wrong guesses are free, and how the pause after them grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Guesses without a pause.
    pub free: i32,
}

/// A subject that guesses: told apart only by a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    pub hash: [u8; 32],
    pub limit: Limit,
}

const FIRST_PAUSE: Duration = Duration::SECOND;
const LONGEST_PAUSE: Duration = Duration::minutes(15);
/// Guesses are forgotten after this time without one.
pub const MEMORY: Duration = Duration::hours(1);

impl Limit {
    /// The pause after guess number `guesses` (from 1): none while they are free, then
    /// 1 s, 2 s, 4 s … 15 min.
    pub fn pause(self, guesses: i32) -> Duration {
        match guesses.saturating_sub(self.free) {
            ..=0 => Duration::ZERO,
            // 2^10 s is beyond the longest pause.
            beyond => LONGEST_PAUSE.min(FIRST_PAUSE * (1 << (beyond - 1).min(10))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_guesses_are_free_and_pauses_grow_to_a_quarter_of_an_hour() {
        let limit = Limit { free: 5 };
        let pauses = [1, 5, 6, 7, 8, 15, 16, i32::MAX].map(|n| limit.pause(n).whole_seconds());
        assert_eq!(pauses, [0, 0, 1, 2, 4, 512, 900, 900]);
    }
}
