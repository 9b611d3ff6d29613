//! `Debug` for messages with secret or personal fields, so that no log line can
//! show them.

use std::fmt::Write;

use anyhow::Result;
use prost_reflect::{Kind, MessageDescriptor};

use super::names;
use crate::model::{Contract, is_ours, is_sensitive};

/// Messages with at least one field that must not be shown.
pub(crate) fn sensitive(contract: &Contract) -> Result<Vec<MessageDescriptor>> {
    let mut found = Vec::new();
    for message in contract.pool.all_messages().filter(|m| is_ours(&m.parent_file())) {
        let fields = message.fields().map(|f| is_sensitive(&f)).collect::<Result<Vec<_>>>()?;
        if fields.contains(&true) {
            found.push(message);
        }
    }
    Ok(found)
}

pub(crate) fn render(contract: &Contract) -> Result<String> {
    let mut code = String::new();
    for message in sensitive(contract)? {
        let mut fields = String::new();
        for field in message.fields() {
            let name = names::ident(field.name());
            let value = match field.kind() {
                _ if is_sensitive(&field)? => "&\"[redacted]\"".to_owned(),
                Kind::Enum(_) => format!("&self.{name}()"),
                _ => format!("&self.{name}"),
            };
            let _ = write!(fields, ".field({:?}, {value})", field.name());
        }
        let _ = write!(
            code,
            "impl std::fmt::Debug for {} {{ fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> \
             std::fmt::Result {{ f.debug_struct({:?}){fields}.finish() }} }}",
            names::message(&message),
            message.name(),
        );
    }
    Ok(code)
}
