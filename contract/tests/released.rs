//! What was released can still be read: every fact of the released contract, as its
//! publishers send it, means the same under today's schema.
#![allow(clippy::unwrap_used)]

#[path = "edits/checkout.rs"]
mod checkout;

use std::path::Path;

use contract::release::{self, Released};
use contract::{Contract, File};
use prost_reflect::{DynamicMessage, MessageDescriptor, ReflectMessage};
use tempfile::TempDir;

use checkout::{checkout, root};

fn today() -> Contract {
    contract::load(&root()).unwrap()
}

fn released() -> Released {
    release::read(&root()).unwrap().expect("a released contract is checked in")
}

/// A file of the checkout's copy, written elsewhere.
fn write(dir: &Path, files: &[File]) {
    for file in files {
        let path = dir.join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.contents).unwrap();
    }
}

/// Why a payload does not mean the same under both schemas; names and values are
/// compared, unknown fields must be none.
fn difference(old: &MessageDescriptor, new: &MessageDescriptor, payload: &[u8]) -> Option<String> {
    let old = DynamicMessage::decode(old.clone(), payload).unwrap();
    let new = match DynamicMessage::decode(new.clone(), payload) {
        Ok(new) => new,
        Err(error) => return Some(error.to_string()),
    };
    let (was, is) = (serde_json::to_value(&old).unwrap(), serde_json::to_value(&new).unwrap());
    let lost = new.unknown_fields().count();
    (was != is || lost > 0).then(|| format!("{was} became {is}, {lost} fields unknown"))
}

#[test]
fn every_released_fact_keeps_its_values_under_todays_schema() {
    let (released, today) = (released(), today());
    for (fact, fixture) in released.contract.facts.iter().zip(&released.facts) {
        let new = today.pool.get_message_by_name(&fixture.schema);
        let new = new.unwrap_or_else(|| panic!("{} is gone", fixture.schema));
        let difference = difference(&fact.message, &new, &fixture.payload);
        assert_eq!(difference, None, "{}: run `make contract-release`?", fixture.topic);
    }
}

#[test]
fn a_fact_that_loses_renumbers_or_retypes_a_field_no_longer_means_the_same() {
    let released = released();
    let topic = "orders.v1.order_failed";
    let at = released.facts.iter().position(|f| f.topic == topic).unwrap();
    let (old, payload) = (&released.contract.facts[at].message, &released.facts[at].payload);
    let with = |field| {
        let file = "orders/v1/events.proto";
        let edit = (file, "message OrderFailed", "string reason = 3;", field);
        let today = contract::load(checkout(&[edit]).path()).unwrap();
        let new = today.pool.get_message_by_name("stoa.orders.v1.OrderFailed").unwrap();
        difference(old, &new, payload)
    };
    assert_eq!(with("string reason = 3;\n  string detail = 4;"), None);
    for broken in ["", "string reason = 4;", "int32 reason = 3;", "bytes reason = 3;"] {
        assert!(with(broken).is_some(), "{broken:?}");
    }
}

#[test]
fn every_field_of_a_released_fact_is_part_of_its_sample() {
    for (fact, fixture) in released().contract.facts.iter().zip(&released().facts) {
        let message = DynamicMessage::decode(fact.message.clone(), &*fixture.payload).unwrap();
        for field in fact.message.fields() {
            assert!(message.has_field(&field), "{} is empty", field.full_name());
        }
    }
}

#[test]
fn todays_schema_ignores_what_a_later_publisher_adds_and_keeps_it() {
    let today = today();
    for fixture in released().facts {
        let descriptor = today.pool.get_message_by_name(&fixture.schema).unwrap();
        let payload = fixture.from_the_future();
        let later = DynamicMessage::decode(descriptor.clone(), &*payload).unwrap();
        let plain = DynamicMessage::decode(descriptor, &*fixture.payload).unwrap();
        assert_eq!(later.unknown_fields().count(), 3, "{}", fixture.topic);
        for field in plain.descriptor().fields() {
            assert_eq!(later.get_field(&field), plain.get_field(&field), "{}", field.full_name());
        }
    }
}

#[test]
fn a_fact_that_was_released_without_a_sample_is_refused() {
    let dir = TempDir::new().unwrap();
    let files = release::files(&today(), "9.9", &[]).unwrap();
    write(dir.path(), &files);
    assert_eq!(release::read(dir.path()).unwrap().unwrap().version, "9.9");
    let topic = "orders.v1.order_failed";
    std::fs::remove_file(dir.path().join(format!("proto/released/facts/{topic}.binpb"))).unwrap();
    let error = release::read(dir.path()).err().unwrap().to_string();
    assert!(error.contains(topic), "{error}");
}

#[test]
fn a_release_says_the_same_as_the_contract_that_it_was_made_from() {
    let dir = TempDir::new().unwrap();
    let today = today();
    let files = release::files(&today, "9.9", &[]).unwrap();
    assert_eq!(files, release::files(&today, "9.9", &[]).unwrap());
    write(dir.path(), &files);
    let released = release::read(dir.path()).unwrap().unwrap();
    assert_eq!(contract::review::changes(&released.contract, &today).unwrap(), []);
    assert_eq!(released.facts.len(), today.facts.len());
}
