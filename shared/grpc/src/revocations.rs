//! Tokens that are not to be believed although they have not expired: their session has
//! ended, or the application that they were given to was taken away.
//!
//! A token is checked without asking anybody, so what was revoked has to come here:
//! whoever checks a token and finds the list older than [`ASK_EVERY`] fetches what is
//! new. While identity does not answer, the list stays what it was, and tokens are as
//! good as they say: that is until they expire, some minutes (RFC 9700, section 2.2).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use prost_types::Timestamp;
use proto::identity::v1::{ListRevocationsResponse, Revocation};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::keys::KeySource;
use crate::{Claims, Problem};

/// How old the list may be.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// How long a request waits for the list.
const PATIENCE: Duration = Duration::from_millis(250);

/// What was revoked, by session or application.
pub(crate) struct Revocations {
    source: Arc<dyn KeySource>,
    known: RwLock<Arc<HashMap<Uuid, Revoked>>>,
    asked: Mutex<Asked>,
}

/// In seconds since 1970.
#[derive(Clone, Copy)]
struct Revoked {
    at: i64,
    forget_at: i64,
}

/// The last time that identity was asked.
#[derive(Default)]
struct Asked {
    at: Option<Instant>,
    /// Where the next answer begins.
    next: Option<Timestamp>,
    failed: bool,
}

impl Revocations {
    pub(crate) fn new(source: Arc<dyn KeySource>) -> Self {
        Self { source, known: RwLock::default(), asked: Mutex::default() }
    }

    /// Whether a token that is good by itself was revoked.
    pub(crate) async fn cover(&self, claims: &Claims) -> bool {
        self.keep_fresh().await;
        let known = Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner));
        match claims.sid {
            Some(session) => known.contains_key(&session),
            // An application goes on, with tokens that it gets from then on.
            None => known.get(&claims.sub).is_some_and(|revoked| claims.iat <= revoked.at),
        }
    }

    /// One asks; the others go on with the list there is.
    async fn keep_fresh(&self) {
        let Ok(mut asked) = self.asked.try_lock() else { return };
        if asked.at.is_some_and(|at| at.elapsed() < ASK_EVERY) {
            return;
        }
        asked.at = Some(Instant::now());
        let answer = tokio::time::timeout(PATIENCE, self.source.revocations(asked.next)).await;
        let late = || Problem::unavailable("KEYS_UNAVAILABLE", "identity did not answer in time");
        match answer.unwrap_or_else(|_| Err(late())) {
            Ok(ListRevocationsResponse { revocations, next_start_time }) => {
                asked.next = next_start_time;
                asked.failed = false;
                self.learn(&revocations);
            }
            Err(problem) => {
                // Once, not with every try.
                if !std::mem::replace(&mut asked.failed, true) {
                    tracing::warn!(error = ?problem, "identity does not say what was revoked");
                }
            }
        }
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

fn read(revocation: &Revocation) -> Option<(Uuid, Revoked)> {
    let Revocation { subject_id, revoke_time, forget_time } = revocation;
    let revoked =
        Revoked { at: revoke_time.as_ref()?.seconds, forget_at: forget_time.as_ref()?.seconds };
    Some((subject_id.parse().ok()?, revoked))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use proto::identity::v1::Jwk;

    use super::*;

    /// Identity as it answers: what was revoked, and where the next answer begins.
    #[derive(Default)]
    struct Identity {
        revoked: Vec<(Uuid, i64)>,
        away: bool,
        asked: AtomicUsize,
    }

    #[async_trait]
    impl KeySource for Identity {
        async fn keys(&self) -> Result<Vec<Jwk>, Problem> {
            Ok(Vec::new())
        }

        async fn revocations(
            &self,
            _: Option<Timestamp>,
        ) -> Result<ListRevocationsResponse, Problem> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if self.away {
                return Err(Problem::unavailable("DATABASE_UNAVAILABLE", "no"));
            }
            let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
            let revocation = |(id, revoked): &(Uuid, i64)| Revocation {
                subject_id: id.to_string(),
                revoke_time: at(*revoked),
                forget_time: at(i64::MAX),
            };
            let revocations = self.revoked.iter().map(revocation).collect();
            Ok(ListRevocationsResponse { revocations, next_start_time: at(1) })
        }
    }

    fn claims(sub: Uuid, sid: Option<Uuid>, iat: i64) -> Claims {
        Claims {
            iss: String::new(),
            aud: String::new(),
            sub,
            roles: Vec::new(),
            entitlements: Vec::new(),
            iat,
            exp: iat + 900,
            jti: Uuid::now_v7(),
            sid,
        }
    }

    #[tokio::test]
    async fn a_session_that_has_ended_is_over_for_all_its_tokens_and_no_others() {
        let (ended, other, user) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
        let identity = Identity { revoked: vec![(ended, 100)], ..Identity::default() };
        let revocations = Revocations::new(Arc::new(identity));
        assert!(revocations.cover(&claims(user, Some(ended), 50)).await);
        assert!(revocations.cover(&claims(user, Some(ended), 150)).await);
        assert!(!revocations.cover(&claims(user, Some(other), 50)).await);
        assert!(!revocations.cover(&claims(user, None, 50)).await);
    }

    #[tokio::test]
    async fn an_applications_tokens_are_bad_up_to_the_moment_of_revocation() {
        let application = Uuid::now_v7();
        let identity = Identity { revoked: vec![(application, 100)], ..Identity::default() };
        let revocations = Revocations::new(Arc::new(identity));
        assert!(revocations.cover(&claims(application, None, 100)).await);
        assert!(!revocations.cover(&claims(application, None, 101)).await);
    }

    #[tokio::test]
    async fn identity_is_not_asked_for_every_token_and_its_absence_stops_nobody() {
        let identity = Arc::new(Identity { away: true, ..Identity::default() });
        let revocations = Revocations::new(identity.clone());
        for _ in 0..100 {
            assert!(!revocations.cover(&claims(Uuid::now_v7(), None, 50)).await);
        }
        assert_eq!(identity.asked.load(Ordering::SeqCst), 1);
    }
}
