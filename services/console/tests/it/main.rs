//! The console with a real exporter of traces and requests as browsers send them.

#![allow(clippy::unwrap_used)]

mod figures;
mod traces;
mod visitors;
mod world;
