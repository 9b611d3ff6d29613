//! Who waits for changes of which order, in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

type Waiting = HashMap<Uuid, watch::Sender<()>>;

/// Wakes those who wait for an order, and nobody else: a change costs the same
/// however many orders are watched. It says that something changed, never what:
/// whoever is woken reads again, so nothing is lost when signals merge.
#[derive(Debug, Default)]
pub struct Changes {
    waiting: Mutex<Waiting>,
}

/// Hears of the changes of one order that were told since it was made.
#[derive(Debug)]
pub struct Subscription {
    order: Uuid,
    changes: Arc<Changes>,
    heard: watch::Receiver<()>,
}

impl Changes {
    /// Subscribe first and read then, so that no change falls between.
    pub fn subscribe(self: &Arc<Self>, order: Uuid) -> Subscription {
        let heard = self.lock().entry(order).or_default().subscribe();
        Subscription { order, changes: Arc::clone(self), heard }
    }

    /// An order changed.
    pub fn tell(&self, order: Uuid) {
        if let Some(waiting) = self.lock().get(&order) {
            waiting.send_replace(());
        }
    }

    /// Any order may have changed.
    pub fn tell_all(&self) {
        for waiting in self.lock().values() {
            waiting.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing in here leaves the map half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscription {
    /// Waits for a change that was told since the last call.
    pub async fn changed(&mut self) {
        // The sender lives in the map as long as this subscription.
        let _ = self.heard.changed().await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut waiting = self.changes.lock();
        // This subscription is still counted.
        if waiting.get(&self.order).is_some_and(|sender| sender.receiver_count() <= 1) {
            waiting.remove(&self.order);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_that_was_told_before_waiting_is_heard() {
        let changes = Arc::new(Changes::default());
        let order = Uuid::now_v7();
        let mut subscription = changes.subscribe(order);
        changes.tell(order);
        subscription.changed().await;
        changes.tell_all();
        subscription.changed().await;
    }

    #[test]
    fn nothing_is_kept_of_those_who_left() {
        let changes = Arc::new(Changes::default());
        let order = Uuid::now_v7();
        let (one, other) = (changes.subscribe(order), changes.subscribe(order));
        drop(one);
        assert_eq!(changes.lock().len(), 1);
        drop(other);
        assert!(changes.lock().is_empty());
    }
}
