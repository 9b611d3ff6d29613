//! Answers: tables for people, JSON for machines.

use anyhow::{Context as _, Result};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use prost_types::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How answers are shown.
pub struct Output {
    json: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Shows a message of the contract, by its full name: as JSON, or as `table`
    /// makes it.
    pub fn show<M: Message>(
        &self,
        name: &str,
        message: &M,
        table: impl FnOnce(&M) -> String,
    ) -> Result<()> {
        let text = if self.json { json(name, message)? } else { table(message) };
        println!("{}", text.trim_end());
        Ok(())
    }
}

/// As the REST API shows it: the contract's names, also of what is 0 or empty.
fn json<M: Message>(name: &str, message: &M) -> Result<String> {
    let pool = DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET)?;
    let descriptor = pool.get_message_by_name(name).with_context(|| format!("no {name}"))?;
    let message = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())?;
    let options = SerializeOptions::new().skip_default_fields(false).use_proto_field_name(true);
    let value = message.serialize_with_options(serde_json::value::Serializer, &options)?;
    Ok(serde_json::to_string_pretty(&value)?)
}

/// Rows under a header, in columns as wide as their widest cell.
pub fn table<const N: usize>(header: [&str; N], rows: Vec<[String; N]>) -> String {
    let header = header.map(str::to_owned);
    let rows: Vec<_> = std::iter::once(header).chain(rows).collect();
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    });
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Names before values, one a line.
pub fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let told = facts.iter().filter(|(_, value)| !value.is_empty());
    told.map(|(name, value)| format!("{name:<width$}  {value}")).collect::<Vec<_>>().join("\n")
}

/// `2026-11-21T15:04:05Z`; empty when there is none.
pub fn moment(at: Option<&Timestamp>) -> String {
    let at = at.and_then(|at| OffsetDateTime::from_unix_timestamp(at.seconds).ok());
    at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}

/// `SAGA_STEP_PAY` of `SAGA_STEP` is `pay`.
pub fn word(value: &str, of: &str) -> String {
    let word = value.strip_prefix(of).unwrap_or(value);
    word.trim_start_matches('_').to_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_need_to_be() {
        let rows = vec![
            ["1".to_owned(), "größer".to_owned(), "a".to_owned()],
            ["22222".to_owned(), String::new(), String::new()],
        ];
        let expected = "ID     NAME    X\n1      größer  a\n22222";
        assert_eq!(table(["ID", "NAME", "X"], rows), expected);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let told = facts(&[("order", "1".to_owned()), ("reason", String::new())]);
        assert_eq!(told, "order   1");
        assert_eq!(moment(None), "");
        let at = Timestamp { seconds: 1_795_273_445, nanos: 7 };
        assert_eq!(moment(Some(&at)), "2026-11-21T15:04:05Z");
        assert_eq!(word("ORDER_STATE_PENDING", "ORDER_STATE"), "pending");
    }

    #[test]
    fn json_has_the_contracts_names() {
        let saga = proto::orders::v1::Saga { attempts: 3, ..Default::default() };
        let value: serde_json::Value =
            serde_json::from_str(&json("stoa.orders.v1.Saga", &saga).unwrap()).unwrap();
        assert_eq!((&value["attempts"], &value["order_id"]), (&3.into(), &"".into()));
    }
}
