//! Whether the broker is there.

use std::future::Ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The state of a relay's or a consumer's connection, shared with whoever asks.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<AtomicBool>);

impl Health {
    /// True while connected to the broker.
    ///
    /// A publishing service works without: its facts wait in the outbox.
    pub fn is_up(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The readiness check of a process that has this connection.
    pub fn check(&self) -> impl Fn() -> Ready<bool> + Send + Sync + 'static {
        let health = self.clone();
        move || std::future::ready(health.is_up())
    }

    pub(crate) fn set(&self, up: bool) {
        self.0.store(up, Ordering::Relaxed);
    }
}
