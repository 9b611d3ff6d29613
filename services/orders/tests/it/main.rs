//! The whole service over a real database and broker; the services around it are
//! doubles that fail where they are told to.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cancelling;
mod erasing;
mod fault_table;
mod leases;
mod leaving;
mod operating;
mod placing;
mod purging;
mod reading;
mod stage;
mod watching;
mod world;
