//! What watches the platform, against the platform itself: a stack of its own with a real
//! Prometheus, an Alertmanager and the prober.

#![allow(clippy::unwrap_used)]

mod business;
mod cluster;
mod dashboards;
mod drill;
mod platform;
mod watched;
