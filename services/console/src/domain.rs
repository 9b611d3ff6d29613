//! What is shown and how it is worked out: pure.

pub mod budget;
pub mod graph;
pub mod histogram;
pub mod house;
pub mod live;
pub mod measured;
pub mod observed;
pub mod orders;
pub mod process;
pub mod queues;
pub mod reading;
pub mod span;
pub mod store;
pub mod waterfall;
