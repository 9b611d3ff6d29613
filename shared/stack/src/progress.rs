//! How a start tells what it does.

use std::time::Duration;

/// Hears of every step of a start.
pub trait Progress: Send {
    /// A step is complete.
    fn done(&mut self, step: &str, took: Duration);
    /// Something that takes long has begun, or is worth knowing.
    fn note(&mut self, line: &str);
}

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn done(&mut self, _step: &str, _took: Duration) {}
    fn note(&mut self, _line: &str) {}
}

/// Writes a line per step to the standard error stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminal;

impl Progress for Terminal {
    fn done(&mut self, step: &str, took: Duration) {
        eprintln!("  {step:<44} {:>6.1} s", took.as_secs_f64());
    }

    fn note(&mut self, line: &str) {
        eprintln!("  {line}");
    }
}
