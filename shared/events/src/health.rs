//! Whether the broker is there.

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

    pub(crate) fn set(&self, up: bool) {
        self.0.store(up, Ordering::Relaxed);
    }
}
