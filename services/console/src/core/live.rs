//! A moment, put together from what is measured, what is traced and what runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::ports::{Away, Machine, Measurements};
use super::traces::Traces;
use crate::domain::budget::budgets;
use crate::domain::graph::{Traffic, graph};
use crate::domain::house::House;
use crate::domain::live::{Snapshot, Sources, headline};
use crate::domain::measured;
use crate::domain::orders::sagas;
use crate::domain::queues::{outboxes, queues};
use crate::domain::reading::{Line, Readings};

/// How long a moment is good enough for the next who asks.
const FRESH: Duration = Duration::from_millis(1_500);
/// Budgets and the past change slowly, and are the dearest to count.
const SLOWLY: Duration = Duration::from_secs(15);
/// Where nothing is measured, traces of so many seconds tell.
const TRACED_SECONDS: u64 = 60;

/// Puts moments together.
pub struct Live {
    pub house: House,
    pub traces: Arc<Traces>,
    pub measurements: Arc<dyn Measurements>,
    pub machine: Arc<dyn Machine>,
    pub window: String,
    pub budget_window: String,
    last: Mutex<Option<(Instant, Arc<Snapshot>)>>,
    slow: Mutex<Option<(Instant, Readings, Vec<Line>)>>,
}

impl Live {
    pub fn new(
        house: House,
        traces: Arc<Traces>,
        measurements: Arc<dyn Measurements>,
        machine: Arc<dyn Machine>,
        (window, budget_window): (String, String),
    ) -> Self {
        let (last, slow) = (Mutex::default(), Mutex::default());
        Self { house, traces, measurements, machine, window, budget_window, last, slow }
    }

    /// The moment; however many look, it is put together once.
    pub async fn snapshot(&self) -> Arc<Snapshot> {
        let mut last = self.last.lock().await;
        if let Some((at, snapshot)) = last.as_ref()
            && at.elapsed() < FRESH
        {
            return snapshot.clone();
        }
        let snapshot = Arc::new(self.look().await);
        *last = Some((Instant::now(), snapshot.clone()));
        snapshot
    }

    async fn look(&self) -> Snapshot {
        let (readings, alerts) = tokio::join!(self.measurements.now(), self.measurements.alerts());
        let away = readings.as_ref().err().map(Away::to_string);
        let readings = readings.unwrap_or_default();
        let alerts = alerts.unwrap_or_default();
        let (promises, history) = match away {
            None => self.slow().await,
            Some(_) => (Readings::default(), Vec::new()),
        };
        let mut processes = self.machine.processes(&readings).await;
        for process in &mut processes {
            process.version = self.traces.version(&process.name);
        }
        let now = types::now().unix_timestamp_nanos() as u64;
        let (traffic, source) = self.traffic(&readings, now);
        let graph = graph(&self.house, &traffic, &processes);
        let sagas = sagas(&readings);
        let queues = queues(&self.house, &readings);
        Snapshot {
            at: now / 1_000_000,
            headline: headline(&processes, &alerts, &graph, &sagas, &queues),
            sources: Sources {
                prometheus: away,
                prometheus_url: self.measurements.url().to_owned(),
                traffic: source,
                window: self.window.clone(),
                budget_window: self.budget_window.clone(),
                traces: self.traces.holding(),
            },
            outboxes: outboxes(&self.house, &readings),
            budgets: budgets(&self.house, &promises),
            graph,
            sagas,
            queues,
            processes,
            alerts,
            history,
        }
    }

    fn traffic(&self, readings: &Readings, now: u64) -> (Traffic, &'static str) {
        let traced = self.traces.traffic(&self.house, now, TRACED_SECONDS);
        if readings.of("served").is_empty() {
            return (traced, "traces");
        }
        let mut measured = measured::traffic(&self.house, readings);
        // Not everybody measures his store; everybody traces it.
        for workload in &self.house.workloads {
            for store in &workload.stores {
                measured.fill(&workload.name, store, &traced);
            }
        }
        (measured, "prometheus")
    }

    async fn slow(&self) -> (Readings, Vec<Line>) {
        let mut slow = self.slow.lock().await;
        if let Some((at, promises, history)) = slow.as_ref()
            && at.elapsed() < SLOWLY
        {
            return (promises.clone(), history.clone());
        }
        let (promises, history) =
            tokio::join!(self.measurements.promises(), self.measurements.history());
        let (promises, history) = (promises.unwrap_or_default(), history.unwrap_or_default());
        *slow = Some((Instant::now(), promises.clone(), history.clone()));
        (promises, history)
    }
}
