//! Where the console looks: the contract, Prometheus, this machine.

pub mod contract;
pub mod machine;
pub mod prometheus;
