//! The generated objects, and the contract that they are compared with.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use contract::{Contract, File};
use serde::Deserialize as _;
use serde_json::Value;

/// Somebody that the contract does not know.
pub const STRANGER: &str = "stranger";

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub fn contract() -> Contract {
    contract::load(&root()).unwrap()
}

/// All generated objects below a directory, in the order of its files.
pub fn objects(dir: &str) -> Vec<Value> {
    static FILES: LazyLock<Vec<File>> = LazyLock::new(|| contract::generate(&root()).unwrap());
    let mut objects = Vec::new();
    for file in FILES.iter().filter(|f| f.path.starts_with(dir)) {
        let text = std::str::from_utf8(&file.contents).unwrap();
        for document in serde_yaml_ng::Deserializer::from_str(text) {
            objects.push(Value::deserialize(document).unwrap());
        }
    }
    assert!(!objects.is_empty(), "nothing is generated below {dir}");
    objects
}

pub fn of_kind(objects: &[Value], kind: &str) -> Vec<Value> {
    objects.iter().filter(|o| o["kind"] == kind).cloned().collect()
}

/// The object of a kind that is called like the workload.
pub fn named(objects: &[Value], kind: &str, name: &str) -> Value {
    let found = objects.iter().find(|o| o["kind"] == kind && o["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("there is no {kind} {name}")).clone()
}

pub fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

pub fn strings(list: &Value) -> Vec<&str> {
    list.as_array().map(|l| l.iter().map(|s| s.as_str().unwrap()).collect()).unwrap_or_default()
}

/// Fails on a field that the reader of an object would overlook.
pub fn only(object: &Value, known: &[&str]) {
    for key in object.as_object().unwrap().keys() {
        assert!(known.contains(&key.as_str()), "the test does not know the field {key}: {object}");
    }
}

/// Everybody of the contract and somebody else.
pub fn everybody(contract: &Contract) -> Vec<String> {
    let mut all = contract.participants();
    all.push(STRANGER.to_owned());
    all
}
