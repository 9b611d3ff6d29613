//! What the console does: it takes spans in, finds traces, and puts a moment together.

pub mod live;
pub mod ports;
pub mod traces;
