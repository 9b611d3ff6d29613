//! From bindings to the schema that the provider itself would answer.
//!
//! What bindings do not tell: which values are sensitive, how many blocks beyond one there
//! may be, and what a provider checks by itself.

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use crate::bindings::{Bindings, Class, ClassKind, Holds, Member, Written};
use crate::wire::{Attribute, Block, Capabilities, NestedBlock, Nesting, ProviderSchema, Schema};

/// The schema of the provider, its resources and its data sources.
///
/// # Errors
///
/// Names the class and the member that are not understood.
pub fn schema(bindings: &Bindings) -> Result<ProviderSchema> {
    let mut schema = ProviderSchema {
        capabilities: Some(Capabilities { schema_optional: true }),
        ..ProviderSchema::default()
    };
    for (name, class) in &bindings.classes {
        if class.kind == ClassKind::Part {
            continue;
        }
        let block = block(name, class, bindings)?;
        let made = Schema { block: Some(block) };
        let terraform_name = class.terraform_name.clone();
        match class.kind {
            ClassKind::Provider => schema.provider = Some(made),
            ClassKind::Resource => drop(schema.resources.insert(terraform_name, made)),
            _ => drop(schema.data_sources.insert(terraform_name, made)),
        }
    }
    if schema.provider.is_none() || schema.resources.is_empty() {
        bail!("there is no provider or no resource among {} classes", bindings.classes.len());
    }
    Ok(schema)
}

fn block(name: &str, class: &Class, bindings: &Bindings) -> Result<Block> {
    let mut block = Block::default();
    for member in &class.members {
        let what = || format!("{name}.{}", member.name);
        if !member.optional && !member.required {
            block.attributes.push(attribute(member, &value(&member.holds, bindings, &what())?)?);
            continue;
        }
        let written = bindings.written.get(name).and_then(|of| of.get(&member.name));
        let written = written.with_context(|| format!("nobody writes {}", what()))?;
        if written.block {
            block.blocks.push(nested(member, written, bindings).with_context(what)?);
        } else {
            block.attributes.push(attribute(member, &settable(written).with_context(what)?)?);
        }
    }
    Ok(block)
}

fn attribute(member: &Member, kind: &Value) -> Result<Attribute> {
    Ok(Attribute {
        name: member.name.clone(),
        kind: serde_json::to_vec(kind)?,
        required: member.required,
        optional: member.optional,
        computed: member.computed,
        // By their makers' convention.
        write_only: member.name.ends_with("_wo"),
    })
}

fn nested(member: &Member, written: &Written, bindings: &Bindings) -> Result<NestedBlock> {
    let (of, single) = match &member.holds {
        Holds::One(of) => (of.as_str(), true),
        Holds::Many { of, .. } => (of.as_str(), false),
        // The provider's own: there is one of each.
        Holds::Untold => (written.storage.trim_end_matches("List"), true),
        Holds::Value(value) => bail!("a block of {value}"),
    };
    let nesting = match written.shape.as_str() {
        "struct" => Nesting::Single,
        "list" => Nesting::List,
        "set" => Nesting::Set,
        other => bail!("a block shaped {other}"),
    };
    let counted = nesting != Nesting::Single;
    Ok(NestedBlock {
        name: member.name.clone(),
        block: Some(part(of, bindings)?),
        nesting: nesting.into(),
        min: i64::from(counted && member.required),
        max: i64::from(counted && single),
    })
}

/// What is in a block. Parts of the provider itself have no class: only how they are written
/// is known, and not what is required.
fn part(name: &str, bindings: &Bindings) -> Result<Block> {
    if let Some(class) = bindings.classes.get(name) {
        return block(name, class, bindings);
    }
    let written = bindings.written.get(name).with_context(|| format!("there is no {name}"))?;
    let attributes = written.iter().map(|(name, written)| {
        let kind = serde_json::to_vec(&settable(written)?)?;
        Ok(Attribute { name: name.clone(), kind, optional: true, ..Attribute::default() })
    });
    Ok(Block { attributes: attributes.collect::<Result<_>>()?, blocks: Vec::new() })
}

/// The type of what may be set.
fn settable(written: &Written) -> Result<Value> {
    let (shape, element) = (written.shape.as_str(), written.storage.as_str());
    let element = match element.trim_end_matches("List").trim_end_matches("Map") {
        "string" => "string",
        "number" => "number",
        "boolean" => "bool",
        other => bail!("a value of {other}"),
    };
    Ok(match shape {
        "simple" => json!(element),
        "list" | "set" | "map" => json!([shape, element]),
        other => bail!("a value shaped {other}"),
    })
}

/// The type of what is only told.
fn value(holds: &Holds, bindings: &Bindings, what: &str) -> Result<Value> {
    let (of, shape) = match holds {
        Holds::Value(value) => return Ok(value.clone()),
        Holds::One(of) | Holds::Many { of, set: false } => (of, "list"),
        Holds::Many { of, set: true } => (of, "set"),
        Holds::Untold => bail!("nobody says what {what} holds"),
    };
    let mut members = Map::new();
    for member in &class(of, bindings)?.members {
        let inner = format!("{of}.{}", member.name);
        members.insert(member.name.clone(), value(&member.holds, bindings, &inner)?);
    }
    Ok(json!([shape, ["object", members]]))
}

fn class<'a>(name: &str, bindings: &'a Bindings) -> Result<&'a Class> {
    bindings.classes.get(name).with_context(|| format!("there is no class {name}"))
}
