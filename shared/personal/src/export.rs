//! Everything that a service keeps about a person, as one JSON document.

use std::sync::LazyLock;

use anyhow::{Context, Result};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::{Map, Value};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// The most that a document holds, in bytes of JSON: some thousand orders. It fits into
/// the largest message that clients take unless told otherwise, which is 4 MiB.
pub const MAX_BYTES: usize = 3 << 20;

static CONTRACT: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).ok());

/// A message of the contract, by its full name, as the REST API shows it: the
/// contract's names, also of what is 0 or empty.
pub fn json<M: Message>(name: &str, message: &M) -> Result<Value> {
    let pool = CONTRACT.as_ref().context("the contract's descriptors are unreadable")?;
    let descriptor = pool.get_message_by_name(name).with_context(|| format!("no {name}"))?;
    let message = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())?;
    let options = SerializeOptions::new().skip_default_fields(false).use_proto_field_name(true);
    Ok(message.serialize_with_options(serde_json::value::Serializer, &options)?)
}

/// A time as the REST API shows it (RFC 3339).
pub fn moment(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC).format(&Rfc3339).unwrap_or_default()
}

/// A document of lists. It never grows beyond [`MAX_BYTES`], and says so when
/// something was left out.
#[derive(Default)]
pub struct Export {
    lists: Map<String, Value>,
    bytes: usize,
    truncated: bool,
}

impl Export {
    /// Adds an entry to a list. False: the document is full, and nothing more is taken.
    pub fn add(&mut self, list: &str, entry: Value) -> bool {
        // With the comma and some room for the names of lists.
        self.bytes += entry.to_string().len() + 1;
        if self.bytes + 1_000 > MAX_BYTES {
            self.truncated = true;
        }
        if self.truncated {
            return false;
        }
        let entries = self.lists.entry(list).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(entries) = entries {
            entries.push(entry);
        }
        true
    }

    /// The document; empty when nothing is kept. `truncated` stands in it when there
    /// is more than it may hold.
    pub fn into_json(mut self) -> String {
        if self.truncated {
            self.lists.insert("truncated".to_owned(), Value::Bool(true));
        }
        if self.lists.is_empty() { String::new() } else { Value::Object(self.lists).to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_contracts_names_and_form() -> Result<()> {
        let line = proto::cart::v1::CartLine { product_id: "p".to_owned(), quantity: 0 };
        let value = json("stoa.cart.v1.CartLine", &line)?;
        assert_eq!(value, serde_json::json!({"product_id": "p", "quantity": 0}));
        assert!(json("stoa.cart.v1.Trolley", &line).is_err());
        Ok(())
    }

    #[test]
    fn nothing_kept_is_no_document() {
        assert_eq!(Export::default().into_json(), "");
    }

    #[test]
    fn a_document_that_is_full_says_so_and_stays_within_its_limit() {
        let mut export = Export::default();
        let entry = Value::String("x".repeat(1 << 18));
        let taken = (0..20).take_while(|_| export.add("orders", entry.clone())).count();
        assert_eq!(taken, 11);
        assert!(!export.add("orders", Value::Null), "nothing is taken after a gap");
        let text = export.into_json();
        assert!(text.len() <= MAX_BYTES && text.ends_with(r#""truncated":true}"#));
    }
}
