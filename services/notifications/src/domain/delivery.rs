//! When an e-mail is tried again and when it is given up.

use time::{Duration, OffsetDateTime};

/// What became of an e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// To be handed over.
    Pending,
    /// Handed over to the mail server.
    Sent,
    /// Given up.
    Failed,
    /// The user does not want e-mail.
    Suppressed,
}

impl DeliveryState {
    pub const ALL: [Self; 4] = [Self::Pending, Self::Sent, Self::Failed, Self::Suppressed];

    /// The name it is stored under.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Suppressed => "suppressed",
        }
    }

    /// By the name it is stored under.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// How long deliveries are tried.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Attempts after which an e-mail is given up.
    pub max_attempts: i32,
    /// How long a worker may take for one attempt.
    pub lease: Duration,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Sent,
    /// Refused this time.
    Retry {
        at: OffsetDateTime,
        error: String,
    },
    /// Refused for good, or too often.
    GiveUp {
        error: String,
    },
    /// The mail server does not work at all: that is not this e-mail's fault, so
    /// the attempt does not count.
    PutBack {
        error: String,
    },
    /// What belongs into this e-mail cannot be had now: the attempt does not count
    /// either, and others go on.
    Postpone {
        at: OffsetDateTime,
        error: String,
    },
}

impl Patience {
    /// What follows from the refusal of attempt number `attempt` (from 1).
    pub fn refused(self, attempt: i32, now: OffsetDateTime, error: String) -> Verdict {
        if self.exhausted(attempt) {
            return Verdict::GiveUp { error };
        }
        Verdict::Retry { at: now + pause(attempt), error }
    }

    /// What follows when something that belongs into an e-mail of `created_at` cannot
    /// be had: it is asked for again after as long as the e-mail is old.
    pub fn postponed(
        self,
        created_at: OffsetDateTime,
        now: OffsetDateTime,
        error: String,
    ) -> Verdict {
        let pause = (now - created_at).clamp(FIRST_PAUSE, LONGEST_POSTPONEMENT);
        Verdict::Postpone { at: now + pause, error }
    }

    /// Whether there is no attempt after this one.
    pub fn exhausted(self, attempt: i32) -> bool {
        attempt >= self.max_attempts
    }
}

const FIRST_PAUSE: Duration = Duration::SECOND;
const LONGEST_PAUSE: Duration = Duration::minutes(10);
/// Short: people wait for a link, and it is good for a while only.
const LONGEST_POSTPONEMENT: Duration = Duration::seconds(30);

/// The pause after failure number `failures` (from 1): 1 s, 2 s, 4 s … 10 min.
pub fn pause(failures: i32) -> Duration {
    // 2^10 s is beyond the longest pause.
    let doublings = failures.saturating_sub(1).clamp(0, 10);
    LONGEST_PAUSE.min(FIRST_PAUSE * (1 << doublings))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    #[test]
    fn pauses_grow_to_ten_minutes_and_no_further() {
        let pauses = [1, 2, 3, 10, 11, i32::MAX].map(|n| pause(n).whole_seconds());
        assert_eq!(pauses, [1, 2, 4, 512, 600, 600]);
    }

    #[test]
    fn a_refused_mail_is_tried_again_until_the_last_attempt() {
        let patience = Patience { max_attempts: 3, lease: Duration::MINUTE };
        let verdict = |attempt| patience.refused(attempt, NOW, "busy".to_owned());
        let retry = |s| Verdict::Retry { at: NOW + Duration::seconds(s), error: "busy".to_owned() };
        assert_eq!(verdict(1), retry(1));
        assert_eq!(verdict(2), retry(2));
        assert_eq!(verdict(3), Verdict::GiveUp { error: "busy".to_owned() });
    }

    #[test]
    fn an_e_mail_that_lacks_something_is_postponed_ever_longer_and_never_for_long() {
        let patience = Patience { max_attempts: 1, lease: Duration::MINUTE };
        let pause = |age: i64| {
            let now = NOW + Duration::seconds(age);
            match patience.postponed(NOW, now, "no token".to_owned()) {
                Verdict::Postpone { at, .. } => (at - now).whole_seconds(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!([0, 1, 5, 60, 3_600].map(pause), [1, 1, 5, 30, 30]);
    }

    #[test]
    fn stored_names_are_read_back() {
        for state in DeliveryState::ALL {
            assert_eq!(DeliveryState::from_name(state.name()), Some(state));
        }
        assert_eq!(DeliveryState::from_name("lost"), None);
    }
}
