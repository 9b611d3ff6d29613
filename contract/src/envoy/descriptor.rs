//! The descriptor set as Envoy's transcoder wants it.

use anyhow::{Context, Result};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, Value};

/// All descriptors without comments and positions, which Envoy has no use for.
///
/// Goes through a dynamic message because prost's own types would lose the
/// options, `google.api.http` among them.
pub(super) fn without_comments(pool: &DescriptorPool) -> Result<Vec<u8>> {
    let set = pool
        .get_message_by_name("google.protobuf.FileDescriptorSet")
        .context("descriptor.proto is not part of the contract")?;
    let mut set = DynamicMessage::decode(set, pool.encode_to_vec().as_slice())?;
    if let Some(Value::List(files)) = set.get_field_by_name_mut("file") {
        for file in files {
            if let Value::Message(file) = file {
                file.clear_field_by_name("source_code_info");
            }
        }
    }
    Ok(set.encode_to_vec())
}
