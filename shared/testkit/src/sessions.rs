//! What the identity service around a service under test says of sessions.

use std::sync::{Arc, Mutex, PoisonError};

use prost_types::Timestamp;
use proto::identity::v1::{ListRevocationsResponse, Revocation};
use tokio::sync::watch;
use uuid::Uuid;

/// The sessions that have ended, and whether anybody is told.
#[derive(Clone)]
pub struct Sessions {
    ended: Arc<Mutex<Vec<Uuid>>>,
    hangs: Arc<watch::Sender<bool>>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { ended: Arc::default(), hangs: Arc::new(watch::Sender::new(false)) }
    }
}

impl Sessions {
    /// Ends one.
    pub fn end(&self, session: Uuid) {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    }

    /// Keeps whoever asks waiting, or does so no longer.
    pub fn hang(&self, hangs: bool) {
        self.hangs.send_replace(hangs);
    }

    pub(crate) async fn tell(&self) -> ListRevocationsResponse {
        // The sender lives as long as this.
        let _ = self.hangs.subscribe().wait_for(|hangs| !hangs).await;
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let revocation = |session: &Uuid| Revocation {
            subject_id: session.to_string(),
            revoke_time: at(1),
            forget_time: at(i64::from(i32::MAX)),
        };
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let revocations = ended.iter().map(revocation).collect();
        ListRevocationsResponse { revocations, next_start_time: at(1) }
    }
}
