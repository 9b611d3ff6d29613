//! The platform's promise under faults: an acknowledged order is never lost, charged
//! twice or oversold.
//!
//! Real processes take orders while a schedule made from a seed kills, stops and
//! separates them. Afterwards a checker reads every store and what the customers
//! noted themselves, and compares.

pub mod check;
pub mod faults;
pub mod plan;
pub mod report;
pub mod run;
pub mod shop;
pub mod upgrade;
