//! Facts from one service's commit to another's, over the real stores.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod broker;
mod dead_letters;
mod deletions;
mod door;
mod failures;
mod flow;
mod outages;
mod own_broker;
mod upkeep;
mod world;
