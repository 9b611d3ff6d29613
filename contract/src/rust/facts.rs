//! What makes a message a fact: its topic, its key, its consumers.

use std::fmt::Write;

use super::names;
use crate::model::Contract;

pub(crate) fn render(contract: &Contract) -> String {
    let mut code = String::new();
    for fact in &contract.facts {
        let _ = write!(
            code,
            "impl Fact for {} {{ const INFO: FactInfo = FactInfo {{ topic: {:?}, schema: {:?}, \
             consumers: &{:?} }}; fn key(&self) -> &str {{ &self.{} }} }}",
            names::message(&fact.message),
            fact.topic,
            fact.message.full_name(),
            fact.consumers,
            names::ident(&fact.key),
        );
    }
    code.push_str("/// Every fact, sorted by topic.\npub static FACTS: &[FactInfo] = &[");
    for fact in &contract.facts {
        let _ = write!(code, "<{} as Fact>::INFO,", names::message(&fact.message));
    }
    code.push_str("];\n");
    code
}
