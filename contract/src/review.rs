//! What a change of the contract means: for its reviewer, and for the gate that
//! asks for a reason when something breaks.
//!
//! What is on the wire is compared by `buf breaking`; here is the law that it does
//! not know: who may call, how long, how often, which values are valid, who is told.

mod approval;
mod constraints;
mod facts;
mod markdown;
mod messages;
mod methods;
mod places;
mod roles;
mod uses;

use anyhow::Result;

pub use approval::{Approval, Approvals, Break};
pub use places::Place;

use crate::model::Contract;

/// Everything that differs between two contracts.
#[derive(Debug)]
pub struct Review {
    /// Grouped by section, in reading order.
    pub changes: Vec<Change>,
    /// Generated files that differ; or why nothing is generated from one of the two,
    /// which may be too old for today's compiler.
    pub places: Result<Vec<Place>, String>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// A service's full name, or `Roles`, `Facts`, `Messages`.
    pub section: String,
    /// Full name of the method, field, message or fact, or a role.
    pub element: String,
    /// What about it, for example `deadline`.
    pub what: String,
    /// Empty where there was nothing.
    pub before: String,
    /// Empty where there is nothing any more.
    pub after: String,
    pub effect: Effect,
    /// Something to know beside it.
    pub note: String,
}

/// What a difference does to those who rely on the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Less is allowed or promised: somebody's call may fail. Needs an approval,
    /// under this rule.
    Breaks(&'static str),
    /// Seen by buf, which names it in its own words.
    BreaksWire,
    /// Stricter, though nobody's call fails for it.
    Tightened,
    /// More is allowed than before.
    Loosened,
    Added,
    /// Neither, or it cannot be known.
    Changed,
}

/// Compares two contracts.
pub fn review(before: &Contract, after: &Contract) -> Result<Review> {
    let changes = changes(before, after)?;
    let places = places::compare(before, after).map_err(|error| format!("{error:#}"));
    Ok(Review { changes, places })
}

/// The differences of the law alone, without looking at what is generated.
pub fn changes(before: &Contract, after: &Contract) -> Result<Vec<Change>> {
    let mut changes = methods::compare(before, after)?;
    changes.extend(roles::compare(before, after));
    changes.extend(facts::compare(before, after));
    changes.extend(messages::compare(before, after)?);
    Ok(changes)
}

impl Change {
    fn new(section: &str, element: &str, what: &str, effect: Effect) -> Self {
        Self {
            section: section.to_owned(),
            element: element.to_owned(),
            what: what.to_owned(),
            before: String::new(),
            after: String::new(),
            effect,
            note: String::new(),
        }
    }

    fn from(mut self, before: impl Into<String>) -> Self {
        self.before = before.into();
        self
    }

    fn to(mut self, after: impl Into<String>) -> Self {
        self.after = after.into();
        self
    }

    fn noting(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// The break that this is, if it is one that needs an approval.
    pub fn as_break(&self) -> Option<Break> {
        let Effect::Breaks(rule) = self.effect else { return None };
        // Without what was before: approved is what holds from now on.
        let now = match (self.before.as_str(), self.after.as_str()) {
            (before, "") => format!("{} {before} is gone", self.what),
            (_, after) => format!("{} is {after}", self.what),
        };
        Some(Break { rule: rule.to_owned(), element: self.element.clone(), now })
    }
}

/// Compares two values and says nothing where they are alike.
struct Differ<'a> {
    section: &'a str,
    element: &'a str,
    changes: Vec<Change>,
}

impl<'a> Differ<'a> {
    fn new(section: &'a str, element: &'a str) -> Self {
        Self { section, element, changes: Vec::new() }
    }

    fn push(&mut self, what: &str, before: String, after: String, effect: Effect) {
        if before != after {
            let change = Change::new(self.section, self.element, what, effect);
            self.changes.push(change.from(before).to(after));
        }
    }

    /// What was taken away and what was added.
    fn sets(&mut self, what: &str, before: &[String], after: &[String], gone: Effect) {
        for item in before.iter().filter(|item| !after.contains(item)) {
            let change = Change::new(self.section, self.element, what, gone);
            self.changes.push(change.from(item));
        }
        for item in after.iter().filter(|item| !before.contains(item)) {
            let change = Change::new(self.section, self.element, what, Effect::Added);
            self.changes.push(change.to(item));
        }
    }
}
