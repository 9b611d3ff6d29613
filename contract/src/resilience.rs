//! How calls between workloads survive trouble: the same at the edge and in the mesh.

/// Methods with a retry are idempotent, so a try that was begun and lost, or
/// that took too long, may be made again. `reset` covers the time limit of a try.
pub(crate) const RETRY_ON: &str = "connect-failure,refused-stream,reset,unavailable";

pub(crate) const MAX_CONNECTIONS: u32 = 1024;
pub(crate) const MAX_PENDING_REQUESTS: u32 = 4096;
pub(crate) const MAX_REQUESTS: u32 = 4096;

/// Retries may add a fifth to the load, so that they cannot bring down what is slow
/// already: not even where a client, the edge and a sidecar all retry.
pub(crate) const RETRY_BUDGET_PERCENT: f64 = 20.0;
/// The default concurrency of 3 starves retries just when one of two replicas goes away.
pub(crate) const MIN_RETRY_CONCURRENCY: u32 = 20;

/// Failures in a row that eject a peer.
pub(crate) const CONSECUTIVE_FAILURES: u32 = 5;
pub(crate) const EJECTION_INTERVAL: &str = "5s";
pub(crate) const EJECTION_TIME: &str = "10s";
pub(crate) const MAX_EJECTION_PERCENT: u32 = 50;
