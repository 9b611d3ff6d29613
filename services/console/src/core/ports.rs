//! Whom the console asks.

use async_trait::async_trait;

use crate::domain::process::Process;
use crate::domain::reading::{Alert, Line, Readings};

/// Prometheus does not answer, and why.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Away(pub String);

/// Who measures.
#[async_trait]
pub trait Measurements: Send + Sync {
    /// What changes from second to second.
    async fn now(&self) -> Result<Readings, Away>;
    /// What takes long to count: budgets over hours.
    async fn promises(&self) -> Result<Readings, Away>;
    /// The last quarter of an hour.
    async fn history(&self) -> Result<Vec<Line>, Away>;
    /// Alerts that fire or are about to.
    async fn alerts(&self) -> Result<Vec<Alert>, Away>;
    /// Where it is, for people.
    fn url(&self) -> &str;
}

/// Who knows which processes run.
#[async_trait]
pub trait Machine: Send + Sync {
    /// All of them, with what the measurements say of each.
    async fn processes(&self, readings: &Readings) -> Vec<Process>;
}
