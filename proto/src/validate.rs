//! The contract's `buf.validate` rules at run time.

pub mod check;

mod generated {
    use super::{Validate, Violations, check};
    include!("gen/validation.rs");
}

/// A message that can say which of its fields break the contract.
pub trait Validate {
    /// Adds every violation of this message and those inside it.
    fn validate(&self, violations: &mut Violations);
}

impl Validate for () {
    fn validate(&self, _: &mut Violations) {}
}

/// What is wrong, field by field.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Violations {
    prefix: String,
    list: Vec<(String, String)>,
}

impl Violations {
    /// True when nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Pairs of field path and description, in field order.
    pub fn into_list(self) -> Vec<(String, String)> {
        self.list
    }

    fn add(&mut self, field: &str, description: impl Into<String>) {
        self.list.push((format!("{}{field}", self.prefix), description.into()));
    }

    fn within(&mut self, field: &str, message: &impl Validate) {
        let outer = self.prefix.len();
        self.prefix.push_str(field);
        self.prefix.push('.');
        message.validate(self);
        self.prefix.truncate(outer);
    }
}
