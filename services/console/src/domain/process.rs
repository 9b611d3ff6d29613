//! Processes and how they are.

use serde::Serialize;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Up,
    /// It works, without something or not well.
    Degraded,
    Down,
    /// Nobody can tell.
    Unknown,
}

/// A process of the platform.
#[derive(Clone, Debug, Serialize)]
pub struct Process {
    pub name: String,
    /// What it stands for in the call graph, where that has another name.
    pub stands_for: Option<String>,
    pub state: State,
    /// What it says of itself, or why it is thought to be down.
    pub detail: String,
    pub address: Option<String>,
    /// Where its metrics are.
    pub metrics: Option<String>,
    /// The file with its log.
    pub log: Option<String>,
    pub pid: Option<i32>,
    /// Bytes of resident memory.
    pub memory: Option<u64>,
    /// Seconds since it started.
    pub uptime: Option<f64>,
    /// How often it was seen to start again: in the last hour by Prometheus, or else since
    /// this console runs.
    pub restarts: u64,
    pub version: Option<String>,
}
