//! Personal data, as far as every service does the same about it: who was erased, and
//! the JSON of an export.

mod erased;
mod export;

pub use erased::{ERASED, begin_erasure, hold_off_erasure, is_erased, purge};
pub use export::{Export, MAX_BYTES, json, moment};
