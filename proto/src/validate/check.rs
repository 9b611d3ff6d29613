//! One function per rule; the generated code calls nothing else.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::OnceLock;

use regex::Regex;

use super::{Validate, Violations};

/// A pattern that is compiled at first use. The contract compiler has proved
/// that it compiles.
pub struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    fn is_match(&self, value: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| Regex::new(self.text).ok());
        compiled.as_ref().is_some_and(|p| p.is_match(value))
    }
}

pub fn required<T>(v: &mut Violations, field: &str, value: &Option<T>) {
    if value.is_none() {
        v.add(field, "is required");
    }
}

/// No U+0000: PostgreSQL's text cannot hold it (its manual, section 8.3).
pub fn storable(v: &mut Violations, field: &str, value: &str) {
    if value.contains('\0') {
        v.add(field, "must not contain U+0000");
    }
}

pub fn each_storable(v: &mut Violations, field: &str, list: &[String]) {
    for (index, value) in list.iter().enumerate() {
        storable(v, &at(field, index), value);
    }
}

pub fn min_len(v: &mut Violations, field: &str, value: &str, min: usize) {
    match value.chars().count() {
        0 if min > 0 => v.add(field, "is required"),
        n if n < min => v.add(field, format!("must have at least {min} characters")),
        _ => {}
    }
}

pub fn max_len(v: &mut Violations, field: &str, value: &str, max: usize) {
    if value.chars().count() > max {
        v.add(field, format!("must have at most {max} characters"));
    }
}

pub fn matches(v: &mut Violations, field: &str, value: &str, pattern: &Pattern) {
    if !pattern.is_match(value) {
        v.add(field, format!("must match {}", pattern.text));
    }
}

/// The HTML definition of a valid e-mail address, as `buf.validate` has it, and
/// a dot in the domain: mail goes to the internet.
pub fn email(v: &mut Violations, field: &str, value: &str) {
    static EMAIL: Pattern = Pattern::new(
        r"^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)+$",
    );
    if !EMAIL.is_match(value) {
        v.add(field, "must be an e-mail address");
    }
}

/// RFC 9562 text form: 36 characters, hyphenated.
pub fn uuid(v: &mut Violations, field: &str, value: &str) {
    if value.len() != 36 || uuid::Uuid::try_parse(value).is_err() {
        v.add(field, "must be a UUID");
    }
}

pub fn gte(v: &mut Violations, field: &str, value: i64, min: i64) {
    if value < min {
        v.add(field, format!("must be at least {min}"));
    }
}

pub fn lte(v: &mut Violations, field: &str, value: i64, max: i64) {
    if value > max {
        v.add(field, format!("must be at most {max}"));
    }
}

pub fn not_in(v: &mut Violations, field: &str, value: i64, list: &[i64]) {
    if list.contains(&value) {
        v.add(field, format!("must not be {value}"));
    }
}

pub fn defined(v: &mut Violations, field: &str, is_defined: bool) {
    if !is_defined {
        v.add(field, "must be a known value");
    }
}

pub fn min_items<T>(v: &mut Violations, field: &str, list: &[T], min: usize) {
    if list.len() < min {
        v.add(field, format!("must have at least {min} items"));
    }
}

pub fn max_items<T>(v: &mut Violations, field: &str, list: &[T], max: usize) {
    if list.len() > max {
        v.add(field, format!("must have at most {max} items"));
    }
}

pub fn unique<T: Eq + Hash>(v: &mut Violations, field: &str, list: &[T]) {
    let mut seen = HashSet::new();
    if !list.iter().all(|item| seen.insert(item)) {
        v.add(field, "must not have the same item twice");
    }
}

pub fn nested<T: Validate>(v: &mut Violations, field: &str, message: &Option<T>) {
    if let Some(message) = message {
        v.within(field, message);
    }
}

pub fn each<T: Validate>(v: &mut Violations, field: &str, list: &[T]) {
    for (index, message) in list.iter().enumerate() {
        v.within(&at(field, index), message);
    }
}

/// The path of an item, for example `lines[0]`.
pub fn at(field: &str, index: usize) -> String {
    format!("{field}[{index}]")
}
