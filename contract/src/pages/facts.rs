//! The event catalogue.

use std::collections::BTreeSet;

use anyhow::Result;
use prost_reflect::{Kind, MessageDescriptor};

use super::fields::{Sensitivity, of_field};
use super::markdown::{code, list, mermaid, table};
use crate::model::{Contract, Fact};
use crate::{comments, sample};

pub(super) fn render(contract: &Contract) -> Result<String> {
    let mut text = String::from(INTRODUCTION);
    text.push_str(&mermaid(&drawing(contract)));
    let rows = contract.facts.iter().map(|fact| {
        vec![
            format!("[`{}`](#{})", fact.topic, super::markdown::anchor(&fact.topic)),
            first_paragraph(&comments::of_message(&fact.message)),
            code(&fact.publisher),
            list(&fact.consumers),
        ]
    });
    text.push_str(&table(&["topic", "says", "published by", "consumed by"], rows));
    for fact in &contract.facts {
        text.push_str(&section(fact)?);
    }
    Ok(text)
}

const INTRODUCTION: &str = "# Events

Facts that services tell each other over the broker. A fact commits with the change it tells of and is delivered at least once;
facts of one aggregate keep their order. It is published to the topic exchange `stoa.events` with its topic as routing key, as
protobuf with CloudEvents attributes in the headers. Every consumer has a quorum queue per fact, `<consumer>.<topic>`; what it
cannot handle waits in `<consumer>.<topic>.dead`.

";

/// Publishers on the left, consumers on the right.
fn drawing(contract: &Contract) -> Vec<String> {
    let mut lines = Vec::new();
    let publishers: BTreeSet<&str> = contract.facts.iter().map(|f| f.publisher.as_str()).collect();
    lines.extend(publishers.iter().map(|p| format!("from_{p}[{p}]")));
    let consumers: BTreeSet<&str> =
        contract.facts.iter().flat_map(|f| &f.consumers).map(String::as_str).collect();
    for fact in &contract.facts {
        let id = fact.topic.replace('.', "_");
        lines.push(format!("from_{} --> {id}([\"{}\"])", fact.publisher, fact.topic));
        lines.extend(fact.consumers.iter().map(|consumer| format!("{id} --> to_{consumer}")));
    }
    lines.extend(consumers.iter().map(|c| format!("to_{c}[{c}]")));
    lines
}

fn section(fact: &Fact) -> Result<String> {
    let queues: Vec<String> =
        fact.consumers.iter().map(|c| format!("{c}.{}", fact.topic)).collect();
    let dead: Vec<String> = queues.iter().map(|q| format!("{q}.dead")).collect();
    let about = [
        ("message", code(fact.message.full_name())),
        ("published by", code(&fact.publisher)),
        ("key", code(&fact.key)),
        ("queues", list(queues)),
        ("dead letters", list(dead)),
    ];
    let about = about.map(|(name, value)| vec![name.to_owned(), value]);
    let mut rows = Vec::new();
    fields(&fact.message, "", &mut rows)?;
    Ok(format!(
        "## {}\n\n{}\n\n{}{}For example:\n\n```json\n{}\n```\n\n",
        fact.topic,
        comments::of_message(&fact.message),
        table(&["", ""], about),
        table(&["field", "type", "meaning", "sensitivity"], rows),
        serde_json::to_string_pretty(&sample::message(&fact.message)?)?,
    ))
}

/// The fields of a message and of our own messages inside it.
fn fields(message: &MessageDescriptor, before: &str, rows: &mut Vec<Vec<String>>) -> Result<()> {
    for field in message.fields() {
        let list = if field.is_list() { "[]" } else { "" };
        let name = format!("{before}{}{list}", field.name());
        let kind = match field.kind() {
            Kind::Message(inner) => inner.full_name().to_owned(),
            Kind::Enum(inner) => inner.full_name().to_owned(),
            other => format!("{other:?}").to_lowercase(),
        };
        let sensitivity = match of_field(&field)? {
            Sensitivity::None => "–",
            Sensitivity::Personal => "personal",
            Sensitivity::Secret => "secret",
        };
        let meaning = comments::of_field(&field);
        rows.push(vec![code(&name), code(&kind), meaning, sensitivity.to_owned()]);
        if let Kind::Message(inner) = field.kind()
            && inner.package_name().starts_with("stoa.")
        {
            fields(&inner, &format!("{name}."), rows)?;
        }
    }
    Ok(())
}

fn first_paragraph(text: &str) -> String {
    text.split("\n\n").next().unwrap_or_default().to_owned()
}
