//! Tokens that are not to be believed although they have not expired: their session has
//! ended, or the application that they were given to was taken away.
//!
//! A token is checked without asking anybody, so what was revoked has to come here: a
//! task of the process asks from time to time. No request ever waits for it. While
//! identity does not answer, the list stays what it was, and tokens are as good as they
//! say: that is until they expire, some minutes (RFC 9700, section 2.2). A process asks
//! once before it serves anybody.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use prost_types::Timestamp;
use proto::identity::v1::{ListRevocationsResponse, Revocation};
use tokio::sync::SetOnce;
use tokio::time::MissedTickBehavior;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::{Claims, Problem};

/// Who keeps sessions, and says which have ended.
#[async_trait]
pub trait RevocationSource: Send + Sync + 'static {
    /// What was revoked since then, or everything that matters.
    async fn revocations(
        &self,
        since: Option<Timestamp>,
    ) -> Result<ListRevocationsResponse, Problem>;
}

/// When to ask.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    every: Duration,
    /// How long an answer may take.
    patience: Duration,
}

impl Pace {
    /// Of every service.
    pub(crate) const USUAL: Self =
        Self { every: Duration::from_secs(4), patience: Duration::from_secs(1) };
}

/// What is promised: so long a token may be good after its session has ended.
const WITHIN: Duration = Duration::from_secs(5);
const _: () =
    assert!(Pace::USUAL.every.as_millis() + Pace::USUAL.patience.as_millis() <= WITHIN.as_millis());

/// What was revoked, by session or application.
#[derive(Default)]
pub(crate) struct Revocations {
    known: RwLock<Arc<HashMap<Uuid, Revoked>>>,
    asked: SetOnce<()>,
}

/// In seconds since 1970.
#[derive(Clone, Copy)]
struct Revoked {
    at: i64,
    forget_at: i64,
}

impl Revocations {
    /// Whether a token that is good by itself was revoked, as far as is known here.
    pub(crate) fn cover(&self, claims: &Claims) -> bool {
        let known = Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner));
        match claims.sid {
            Some(session) => known.contains_key(&session),
            // An application goes on, with tokens that it gets from then on.
            None => known.get(&claims.sub).is_some_and(|revoked| claims.iat <= revoked.at),
        }
    }

    /// Asks at once, and again and again for ever.
    pub(crate) async fn follow(&self, source: &dyn RevocationSource, pace: Pace) -> Infallible {
        let mut rounds = tokio::time::interval(pace.every);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Where the next answer begins.
        let (mut next, mut failed) = (None, false);
        loop {
            rounds.tick().await;
            let span = tracing::info_span!("ask what was revoked");
            telemetry::routine(&span);
            let asking = source.revocations(next).instrument(span);
            let answer = tokio::time::timeout(pace.patience, asking).await;
            match answer.unwrap_or_else(|_| Err(late())) {
                Ok(ListRevocationsResponse { revocations, next_start_time }) => {
                    (next, failed) = (next_start_time, false);
                    self.learn(&revocations);
                }
                Err(problem) => {
                    // Once, not with every try.
                    if !std::mem::replace(&mut failed, true) {
                        tracing::warn!(error = ?problem, "identity does not say what was revoked");
                    }
                }
            }
            // Only the first time is the first.
            let _ = self.asked.set(());
        }
    }

    /// Waits until somebody who follows has asked once, whatever the answer: no longer
    /// than the patience of one question.
    pub(crate) async fn asked(&self) {
        self.asked.wait().await;
    }

    fn learn(&self, new: &[Revocation]) {
        let now = types::now().unix_timestamp();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if new.is_empty() && known.values().all(|revoked| revoked.forget_at > now) {
            return;
        }
        let kept = known.iter().filter(|(_, revoked)| revoked.forget_at > now);
        let mut all: HashMap<Uuid, Revoked> = kept.map(|(id, revoked)| (*id, *revoked)).collect();
        all.extend(new.iter().filter_map(read));
        *known = Arc::new(all);
    }
}

fn late() -> Problem {
    Problem::unavailable("KEYS_UNAVAILABLE", "identity did not answer in time")
}

fn read(revocation: &Revocation) -> Option<(Uuid, Revoked)> {
    let Revocation { subject_id, revoke_time, forget_time } = revocation;
    let revoked =
        Revoked { at: revoke_time.as_ref()?.seconds, forget_at: forget_time.as_ref()?.seconds };
    Some((subject_id.parse().ok()?, revoked))
}

#[cfg(test)]
mod tests;
