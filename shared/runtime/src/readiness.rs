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
    required: Vec<(&'static str, Check)>,
    preferred: Vec<(&'static str, Check)>,
    leaving: Shutdown,
}

impl Readiness {
    /// Adds a dependency without which nothing can be done.
    pub fn check<F, Fut>(mut self, name: &'static str, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        self.required.push((name, Arc::new(move || Box::pin(check()))));
        self
    }

    /// Adds a dependency that can be done without for a while; shown, but no reason
    /// to stop sending requests.
    pub fn prefer<F, Fut>(mut self, name: &'static str, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        self.preferred.push((name, Arc::new(move || Box::pin(check()))));
        self
    }

    /// The dependencies that do not answer now and cannot be done without.
    pub async fn missing(&self) -> Vec<&'static str> {
        failing(&self.required).await
    }

    /// The dependencies that do not answer now and are done without.
    pub async fn degraded(&self) -> Vec<&'static str> {
        failing(&self.preferred).await
    }

    /// Says from now on that the process is not ready, whatever answers.
    pub fn leave(&self) {
        self.leaving.cancel();
    }

    /// Whether the process is about to end.
    pub fn is_leaving(&self) -> bool {
        self.leaving.is_cancelled()
    }

    /// Follows the dependencies once a second, and tells changes, until the process
    /// is about to end: then it is not ready any more.
    pub async fn follow(self, ready: watch::Sender<bool>) {
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                () = self.leaving.cancelled() => break,
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

async fn failing(checks: &[(&'static str, Check)]) -> Vec<&'static str> {
    let checks = checks.iter().map(|(name, check)| async {
        let up = tokio::time::timeout(CHECK_TIMEOUT, check()).await.unwrap_or(false);
        (!up).then_some(*name)
    });
    join_all(checks).await.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_answer_is_named() {
        let readiness = Readiness::default()
            .check("database", || async { true })
            .check("cache", || async { false })
            .prefer("broker", || async { false });
        assert_eq!(readiness.missing().await, ["cache"]);
        assert_eq!(readiness.degraded().await, ["broker"]);
    }

    #[tokio::test]
    async fn who_is_about_to_end_is_not_ready() {
        let readiness = Readiness::default().check("database", || async { true });
        let (ready, mut told) = watch::channel(false);
        let following = tokio::spawn(readiness.clone().follow(ready));
        told.wait_for(|ready| *ready).await.expect("it follows");
        readiness.leave();
        following.await.expect("it ends");
        assert!(!*told.borrow());
    }
}
