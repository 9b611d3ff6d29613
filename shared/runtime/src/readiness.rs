//! Whether a process can do its work: its database and broker answer.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use tokio::sync::watch;

use crate::Shutdown;

type Check = Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// A dependency that does not answer within this time is down.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// Named checks of dependencies.
#[derive(Clone, Default)]
pub struct Readiness {
    checks: Vec<(&'static str, Check)>,
}

impl Readiness {
    /// Adds a dependency.
    pub fn check<F, Fut>(mut self, name: &'static str, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        self.checks.push((name, Arc::new(move || Box::pin(check()))));
        self
    }

    /// The dependencies that do not answer now.
    pub async fn missing(&self) -> Vec<&'static str> {
        let checks = self.checks.iter().map(|(name, check)| async {
            let up = tokio::time::timeout(CHECK_TIMEOUT, check()).await.unwrap_or(false);
            (!up).then_some(*name)
        });
        join_all(checks).await.into_iter().flatten().collect()
    }

    /// Follows the dependencies once a second until shutdown, and tells changes.
    pub async fn follow(self, ready: watch::Sender<bool>, shutdown: Shutdown) {
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = ticks.tick() => {}
            }
            let missing = self.missing().await;
            let changed = ready.send_if_modified(|now| {
                let was = std::mem::replace(now, missing.is_empty());
                was != *now
            });
            if changed && missing.is_empty() {
                tracing::info!("ready");
            } else if changed {
                tracing::warn!(missing = ?missing, "not ready");
            }
        }
        ready.send_replace(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_answer_is_named() {
        let readiness = Readiness::default()
            .check("database", || async { true })
            .check("broker", || async { false });
        assert_eq!(readiness.missing().await, ["broker"]);
    }
}
