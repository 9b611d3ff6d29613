//! Resumes sagas that a crash or a slow step left behind.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::driver::Driver;
use super::ports::{Census, SagaDesk, SagaStore};
use crate::domain::{Direction, Saga, Step};

/// How sagas that are left behind are found.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// How often to look.
    pub poll: Duration,
    /// The most sagas driven at once by the worker.
    pub concurrency: usize,
}

/// Takes over sagas that are due.
pub struct Worker {
    pub(crate) sagas: Arc<dyn SagaStore>,
    pub(crate) desk: Arc<dyn SagaDesk>,
    pub(crate) driver: Arc<Driver>,
    pub(crate) settings: WorkerSettings,
}

/// At shutdown, how long sagas may go on before they stop at the next step.
const GRACE: Duration = Duration::from_secs(5);
/// How often sagas are counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);

impl Worker {
    /// Runs until shutdown, then until what is being driven, in requests too, has
    /// ended or stopped between two steps.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let slots = Arc::new(Semaphore::new(self.settings.concurrency));
        let mut polls = tokio::time::interval(self.settings.poll);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut counts = tokio::time::interval(COUNT_EVERY);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = polls.tick() => self.take_over(&slots).await,
                _ = counts.tick() => self.count().await,
            }
        }
        self.drain().await;
        Ok(())
    }

    /// Takes over as many sagas as there are free slots.
    async fn take_over(&self, slots: &Arc<Semaphore>) {
        let free = i64::try_from(slots.available_permits()).unwrap_or(i64::MAX);
        if free == 0 {
            return;
        }
        let due = match self.sagas.claim_due(free).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(error = %error, "sagas that are due could not be read");
                return;
            }
        };
        for leased in due {
            // Only this loop takes slots, so there is one for each.
            let Ok(slot) = Arc::clone(slots).acquire_owned().await else { return };
            let Saga { order, step, .. } = &leased.saga;
            tracing::info!(order.id = %order.id, saga.step = step.name(), "saga resumed");
            let driving = self.driver.start(leased);
            self.driver.tasks.spawn(async move {
                driving.ended().await;
                drop(slot);
            });
        }
    }

    async fn count(&self) {
        match self.desk.count().await {
            Ok(census) => show(&census),
            Err(error) => tracing::warn!(error = %error, "sagas could not be counted"),
        }
    }

    async fn drain(&self) {
        self.driver.leaving.cancel();
        let tasks = &self.driver.tasks;
        tasks.close();
        if tokio::time::timeout(GRACE, tasks.wait()).await.is_err() {
            self.driver.stopping.cancel();
            let _ = tokio::time::timeout(self.driver.settings.action_timeout, tasks.wait()).await;
        }
    }
}

/// Every step has its gauge, also while nothing stands there.
fn show(census: &Census) {
    for direction in [Direction::Forward, Direction::Backward] {
        for step in std::iter::successors(Some(Step::FIRST), |step| step.next()) {
            let at = |(d, s, _): &&(String, String, i64)| d == direction.name() && s == step.name();
            let count = census.running.iter().find(at).map_or(0, |(_, _, count)| *count);
            let labels = [("direction", direction.name()), ("step", step.name())];
            metrics::gauge!("sagas_running", &labels).set(count as f64);
        }
    }
    metrics::gauge!("sagas_overdue").set(census.overdue as f64);
    metrics::gauge!("sagas_oldest_age_seconds").set(census.oldest_seconds);
}
