//! The console with a real exporter of traces and real browsers' requests.

#![allow(clippy::unwrap_used)]
