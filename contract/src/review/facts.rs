//! Facts: under which topic, in which order, and who is told.

use super::{Change, Differ, Effect};
use crate::model::{Contract, Fact};

const SECTION: &str = "Facts";

pub(super) fn compare(before: &Contract, after: &Contract) -> Vec<Change> {
    let mut changes = Vec::new();
    for old in &before.facts {
        let name = old.message.full_name();
        match find(after, name) {
            Some(new) => changes.extend(fact(name, old, new)),
            None => {
                let gone = Effect::Breaks("FACT_REMOVED");
                changes.push(Change::new(SECTION, name, "fact", gone).from(summary(old)));
            }
        }
    }
    for new in &after.facts {
        let name = new.message.full_name();
        if find(before, name).is_none() {
            let change = Change::new(SECTION, name, "fact", Effect::Added);
            changes.push(change.to(summary(new)));
        }
    }
    changes
}

fn find<'a>(contract: &'a Contract, name: &str) -> Option<&'a Fact> {
    contract.facts.iter().find(|f| f.message.full_name() == name)
}

fn fact(name: &str, old: &Fact, new: &Fact) -> Vec<Change> {
    let mut diff = Differ::new(SECTION, name);
    let moved = Effect::Breaks("TOPIC_CHANGED");
    diff.push("topic", old.topic.clone(), new.topic.clone(), moved);
    // Facts of one aggregate keep their order, and the aggregate is another now.
    diff.push("key", old.key.clone(), new.key.clone(), Effect::Breaks("KEY_CHANGED"));
    diff.push("publisher", old.publisher.clone(), new.publisher.clone(), Effect::Changed);
    let gone = Effect::Breaks("CONSUMER_REMOVED");
    diff.sets("consumer", &old.consumers, &new.consumers, gone);
    diff.changes
}

fn summary(fact: &Fact) -> String {
    let consumers = match fact.consumers.as_slice() {
        [] => "nobody".to_owned(),
        consumers => consumers.join(", "),
    };
    format!("{}, key {}, {} → {consumers}", fact.topic, fact.key, fact.publisher)
}
