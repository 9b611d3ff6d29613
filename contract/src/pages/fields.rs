//! Fields that no log may show, and where they travel.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::markdown::{code, method_link, table};
use crate::comments;
use crate::model::{Contract, option};

/// `stoa.policy.v1.Sensitivity`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sensitivity {
    None,
    Personal,
    Secret,
}

pub(super) fn of_field(field: &FieldDescriptor) -> Result<Sensitivity> {
    let level: Option<i32> = option(&field.options(), "sensitivity")?;
    Ok(match level {
        None | Some(0) => Sensitivity::None,
        Some(1) => Sensitivity::Personal,
        Some(2) => Sensitivity::Secret,
        Some(other) => bail!("{}: unknown sensitivity {other}", field.full_name()),
    })
}

pub(super) fn render(contract: &Contract) -> Result<String> {
    let mut text = String::from(
        "# Sensitive fields\n\n\
         Their values never reach a log or a trace: the generated `Debug` of their messages leaves \
         them out.\n\n",
    );
    let kinds = [
        (Sensitivity::Secret, "Secret", "A credential: never exported, never published."),
        (Sensitivity::Personal, "Personal", "Describes a person: part of export and erasure."),
    ];
    for (wanted, title, meaning) in kinds {
        let mut rows = Vec::new();
        for message in contract.files().flat_map(|f| f.messages().collect::<Vec<_>>()) {
            for field in message.fields() {
                if of_field(&field)? == wanted {
                    let place = code(&format!("{}.{}", message.full_name(), field.name()));
                    rows.push(vec![place, comments::of_field(&field), travels(contract, &message)]);
                }
            }
        }
        let table = table(&["field", "is", "travels in"], rows);
        text.push_str(&format!("## {title}\n\n{meaning}\n\n{table}"));
    }
    Ok(text)
}

/// The methods and facts that a message is in.
fn travels(contract: &Contract, message: &MessageDescriptor) -> String {
    let within = |outer: MessageDescriptor| contains(&outer, message, &mut BTreeSet::new());
    let mut places = Vec::new();
    for (_, method) in contract.methods() {
        let link = method_link("methods.md", method);
        match (within(method.descriptor.input()), within(method.descriptor.output())) {
            (true, true) => places.push(format!("{link} both ways")),
            (true, false) => places.push(format!("{link} request")),
            (false, true) => places.push(format!("{link} answer")),
            (false, false) => {}
        }
    }
    let facts = contract.facts.iter().filter(|f| within(f.message.clone()));
    places.extend(facts.map(|f| code(&f.topic)));
    if places.is_empty() { "nothing".to_owned() } else { places.join(", ") }
}

fn contains(
    outer: &MessageDescriptor,
    inner: &MessageDescriptor,
    seen: &mut BTreeSet<String>,
) -> bool {
    if outer == inner {
        return true;
    }
    if !seen.insert(outer.full_name().to_owned()) {
        return false;
    }
    outer.fields().any(|field| match field.kind() {
        Kind::Message(next) => contains(&next, inner, seen),
        _ => false,
    })
}
