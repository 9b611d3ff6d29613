//! The released contract: what everybody out there was built against.
//!
//! It is kept as a descriptor set with one binary sample per fact, so that later
//! schemas and consumers can be tried with what earlier publishers send.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde::{Deserialize, Serialize};

use crate::File;
use crate::model::{Contract, Fact};
use crate::review::Approval;

/// Where it is kept, below the checkout.
pub const DIR: &str = "proto/released";

const FIRST_LINE: &str = "# Written by `make contract-release`. Do not edit.\n";
const DESCRIPTORS: &str = "contract.binpb";
const MANIFEST: &str = "manifest.yaml";

/// A release.
pub struct Released {
    /// For example `0.1`.
    pub version: String,
    pub contract: Contract,
    /// By topic.
    pub facts: Vec<Fixture>,
    /// What it broke of the release before, with the reasons.
    pub breaks: Vec<Approval>,
}

/// A fact as the release's publishers send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixture {
    /// Routing key.
    pub topic: String,
    /// Full name of the message.
    pub schema: String,
    /// The aggregate it is about.
    pub key: String,
    pub payload: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    version: String,
    /// Topics.
    facts: Vec<String>,
    breaks: Vec<Approval>,
}

/// The files of a release of this contract.
pub fn files(contract: &Contract, version: &str, breaks: &[Approval]) -> Result<Vec<File>> {
    let topics = contract.facts.iter().map(|f| f.topic.clone()).collect();
    let manifest = Manifest { version: version.to_owned(), facts: topics, breaks: breaks.to_vec() };
    let manifest = format!("{FIRST_LINE}{}", serde_yaml_ng::to_string(&manifest)?);
    let mut files = vec![
        File::new(format!("{DIR}/{DESCRIPTORS}"), contract.pool.encode_to_vec()),
        File::new(format!("{DIR}/{MANIFEST}"), manifest),
    ];
    for fact in &contract.facts {
        files.push(File::new(format!("{DIR}/{}", file_of(&fact.topic)), sample(fact)?));
    }
    Ok(files)
}

/// The last release of the checkout at `root`; none before the first.
pub fn read(root: &Path) -> Result<Option<Released>> {
    let dir = root.join(DIR);
    let path = dir.join(MANIFEST);
    if !path.exists() {
        return Ok(None);
    }
    let manifest: Manifest = serde_yaml_ng::from_str(&fs::read_to_string(&path)?)
        .with_context(|| path.display().to_string())?;
    let descriptors = fs::read(dir.join(DESCRIPTORS)).context("a release without descriptors")?;
    let contract = Contract::read(DescriptorPool::decode(descriptors.as_slice())?)?;
    let facts = contract.facts.iter().map(|f| fixture(&dir, f)).collect::<Result<Vec<_>>>()?;
    let topics: Vec<_> = facts.iter().map(|f| f.topic.clone()).collect();
    ensure!(manifest.facts == topics, "{}: facts are not those released", path.display());
    let Manifest { version, breaks, .. } = manifest;
    Ok(Some(Released { version, contract, facts, breaks }))
}

impl Fixture {
    /// The payload as a later publisher would send it, with fields that today's
    /// schema does not know: a number, a text and a message.
    pub fn from_the_future(&self) -> Vec<u8> {
        let mut payload = self.payload.clone();
        for (number, wire_type, value) in [(15_000_u32, 0, &b"\x2a"[..]), (15_001, 2, b"\x05later")]
        {
            prost::encoding::encode_varint(u64::from(number << 3 | wire_type), &mut payload);
            payload.extend_from_slice(value);
        }
        prost::encoding::encode_varint(u64::from(15_002_u32 << 3 | 2), &mut payload);
        payload.extend_from_slice(b"\x02\x08\x01");
        payload
    }
}

fn file_of(topic: &str) -> String {
    format!("facts/{topic}.binpb")
}

fn sample(fact: &Fact) -> Result<Vec<u8>> {
    let json = crate::sample::message(&fact.message)?;
    let message = DynamicMessage::deserialize(fact.message.clone(), json)
        .with_context(|| fact.message.full_name().to_owned())?;
    Ok(message.encode_to_vec())
}

fn fixture(dir: &Path, fact: &Fact) -> Result<Fixture> {
    let (topic, schema) = (fact.topic.clone(), fact.message.full_name().to_owned());
    let path = dir.join(file_of(&topic));
    let payload = fs::read(&path)
        .with_context(|| format!("{topic} was released without {}", path.display()))?;
    let message = DynamicMessage::decode(fact.message.clone(), payload.as_slice())
        .with_context(|| path.display().to_string())?;
    let key = message.get_field_by_name(&fact.key);
    let key = key.and_then(|k| k.as_str().map(str::to_owned)).unwrap_or_default();
    Ok(Fixture { topic, schema, key, payload })
}
