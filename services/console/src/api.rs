//! Who is answered: senders of traces, and browsers on this machine.

pub mod door;
pub mod notified;
pub mod otlp;
pub mod page;
pub mod questions;
pub mod runbooks;
