//! `buf.validate` rules of a field, for back ends that describe or obey them.
//!
//! The one that enforces them is `rust::validation`.

use anyhow::Result;
use prost_reflect::FieldDescriptor;
use serde_json::{Map, Value};

use crate::model::extension;

/// The rules of one field, or of the items of a list.
#[derive(Debug, Clone, Default)]
pub struct Constraints {
    pub required: bool,
    pub min_len: Option<u64>,
    pub max_len: Option<u64>,
    pub pattern: Option<String>,
    pub email: bool,
    pub uuid: bool,
    pub gte: Option<i64>,
    pub lte: Option<i64>,
    pub not_in: Vec<i64>,
    pub defined_only: bool,
    pub min_items: Option<u64>,
    pub max_items: Option<u64>,
    pub unique: bool,
    /// Of the items, where the field is a list.
    pub items: Option<Box<Constraints>>,
    /// The first `example` of the field.
    pub example: Option<Value>,
}

impl Constraints {
    /// What the contract says about a field.
    pub fn of(field: &FieldDescriptor) -> Result<Self> {
        let rules = extension(&field.options(), "buf.validate.field")?;
        Ok(rules.as_ref().and_then(Value::as_object).map(Self::read).unwrap_or_default())
    }

    fn read(rules: &Map<String, Value>) -> Self {
        let mut read = Self::default();
        for (kind, value) in rules {
            match value {
                Value::Bool(yes) if kind == "required" => read.required = *yes,
                Value::Object(rules) => rules.iter().for_each(|(rule, v)| read.add(rule, v)),
                _ => {}
            }
        }
        read
    }

    fn add(&mut self, rule: &str, value: &Value) {
        let number = || value.as_i64().or_else(|| value.as_str()?.parse().ok());
        let length = || number().and_then(|n| u64::try_from(n).ok());
        match rule {
            "minLen" => self.min_len = length(),
            "maxLen" => self.max_len = length(),
            "pattern" => self.pattern = value.as_str().map(str::to_owned),
            "email" => self.email = true,
            "uuid" => self.uuid = true,
            "gte" => self.gte = number(),
            "lte" => self.lte = number(),
            "notIn" => self.not_in = integers(value),
            "definedOnly" => self.defined_only = true,
            "minItems" => self.min_items = length(),
            "maxItems" => self.max_items = length(),
            "unique" => self.unique = true,
            "items" => {
                self.items = value.as_object().map(|rules| Box::new(Self::read(rules)));
            }
            "example" => self.example = value.as_array().and_then(|a| a.first().cloned()),
            _ => {}
        }
    }
}

fn integers(value: &Value) -> Vec<i64> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|v| v.as_i64().or_else(|| v.as_str()?.parse().ok())).collect()
}
