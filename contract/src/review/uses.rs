//! Where a message is used: by which requests, answers and facts.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{Kind, MessageDescriptor};

use crate::model::Contract;

/// The uses of every message of a contract.
#[derive(Default)]
pub(super) struct Uses {
    by_message: BTreeMap<String, BTreeSet<String>>,
    requests: BTreeSet<String>,
}

impl Uses {
    pub(super) fn of(contract: &Contract) -> Self {
        let mut uses = Self::default();
        for (_, method) in contract.methods() {
            let input = method.descriptor.input();
            uses.walk(&input, &format!("{} (request)", method.name()), true);
            uses.walk(&method.descriptor.output(), &format!("{} (answer)", method.name()), false);
        }
        for fact in &contract.facts {
            uses.walk(&fact.message, &format!("{} (fact)", fact.topic), false);
        }
        uses
    }

    fn walk(&mut self, message: &MessageDescriptor, by: &str, request: bool) {
        let name = message.full_name().to_owned();
        if request {
            self.requests.insert(name.clone());
        }
        if !self.by_message.entry(name).or_default().insert(by.to_owned()) {
            return;
        }
        for field in message.fields() {
            if let Kind::Message(inner) = field.kind() {
                self.walk(&inner, by, request);
            }
        }
    }

    /// Whether somebody sends it to us.
    pub(super) fn in_a_request(&self, message: &str) -> bool {
        self.requests.contains(message)
    }

    /// In words.
    pub(super) fn describe(&self, message: &str) -> String {
        let by = self.by_message.get(message).cloned().unwrap_or_default();
        match by.len() {
            0 => "used by nobody".to_owned(),
            _ => format!("used by {}", by.into_iter().collect::<Vec<_>>().join(", ")),
        }
    }
}
