//! Those messages of Terraform's plugin protocol (version 6) that carry a schema. Numbers
//! are the protocol's.

use std::collections::BTreeMap;

/// What `GetProviderSchema` answers.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ProviderSchema {
    #[prost(message, optional, tag = "1")]
    pub provider: Option<Schema>,
    #[prost(btree_map = "string, message", tag = "2")]
    pub resources: BTreeMap<String, Schema>,
    #[prost(btree_map = "string, message", tag = "3")]
    pub data_sources: BTreeMap<String, Schema>,
    #[prost(message, optional, tag = "6")]
    pub capabilities: Option<Capabilities>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Capabilities {
    /// Terraform may remember the schema of a provider that it asked once.
    #[prost(bool, tag = "2")]
    pub schema_optional: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Schema {
    #[prost(message, optional, tag = "2")]
    pub block: Option<Block>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Block {
    #[prost(message, repeated, tag = "2")]
    pub attributes: Vec<Attribute>,
    #[prost(message, repeated, tag = "3")]
    pub blocks: Vec<NestedBlock>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Attribute {
    #[prost(string, tag = "1")]
    pub name: String,
    /// A type as JSON: `"string"`, `["list","string"]`.
    #[prost(bytes = "vec", tag = "2")]
    pub kind: Vec<u8>,
    #[prost(bool, tag = "4")]
    pub required: bool,
    #[prost(bool, tag = "5")]
    pub optional: bool,
    #[prost(bool, tag = "6")]
    pub computed: bool,
    #[prost(bool, tag = "11")]
    pub write_only: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct NestedBlock {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub block: Option<Block>,
    #[prost(enumeration = "Nesting", tag = "3")]
    pub nesting: i32,
    #[prost(int64, tag = "4")]
    pub min: i64,
    /// Zero: as many as one likes.
    #[prost(int64, tag = "5")]
    pub max: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub enum Nesting {
    Invalid = 0,
    Single = 1,
    List = 2,
    Set = 3,
}
