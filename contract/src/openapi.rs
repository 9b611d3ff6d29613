//! The REST surface as an OpenAPI 3.1 document.

mod errors;
mod fields;
mod operation;
mod parameters;
mod schemas;

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use regex::Regex;
use serde_json::{Map, Value, json};

use crate::comments;
use crate::model::Contract;
use crate::{File, yaml};
use errors::Responses;
use schemas::Schemas;

/// What a reader must know before the first call; Markdown.
const INTRODUCTION: &str = "\
Every method of the platform that is open to the outside, as the edge serves it.

**Who may call.** Sign in with `login` or `register` and send the `access_token` as `Authorization: Bearer …`. \
`x-stoa-permission` is the permission that an operation asks for and `x-stoa-roles` the roles that hold it. A token \
that is sent must be valid, also where none is needed.

**Errors** are `google.rpc.Status`. The `reason` of its `ErrorInfo` is stable: decide by it and not by the message. \
`BadRequest` names fields, `RetryInfo` says when to try again. Each operation lists the reasons that it answers.

**JSON** has the names of this document; requests may use lowerCamelCase too. Answers always have every scalar and \
every list, also when it is 0 or empty; objects that do not apply are left out. 64-bit integers are strings. Fields \
and query parameters that are not listed are refused.

**Money** is `google.type.Money`: whole units and billionths of a unit, with the currency.

**Lists** take `page_size` and `page_token`; `next_page_token` is empty on the last page.

**Changes** take an `update_mask`: the fields to change, separated by commas. Without it every field that is set in \
the body is changed.

**Limits.** `x-stoa-deadline-ms` is the longest an operation may take and `x-stoa-rate` how often one client may call \
it; 429 says in `retry-after` how many seconds to wait.";

pub(crate) fn files(contract: &Contract) -> Result<Vec<File>> {
    let yaml = quote(&yaml::documents(&[document(contract)?])?)?;
    Ok(vec![File::new("docs/api/openapi.yaml", yaml)])
}

/// Quotes times: readers of YAML 1.1 would make dates of them.
fn quote(yaml: &str) -> Result<String> {
    let time = Regex::new(r"(?m): ([0-9-]{10}T[0-9:.]+Z)$")?;
    Ok(time.replace_all(yaml, ": '$1'").into_owned())
}

fn document(contract: &Contract) -> Result<Value> {
    let mut schemas = Schemas::new(contract)?;
    let mut responses = Responses::new();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut names = BTreeMap::new();
    for (service, method) in contract.external() {
        let Some(http) = &method.http else { continue };
        let operation = operation::of(contract, service, method, &mut schemas, &mut responses)?;
        let id = operation["operationId"].to_string();
        let earlier = names.insert(id.clone(), &method.path);
        ensure!(earlier.is_none(), "{}: operation {id} is {earlier:?} already", method.path);
        paths.entry(http.template.clone()).or_default().insert(http.verb.to_lowercase(), operation);
    }
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Stoa",
            "version": "v1",
            "summary": "A commerce platform",
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "Where this document is served"}],
        "tags": tags(contract),
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": bearer()},
            "parameters": parameters::shared(),
            "headers": errors::headers(),
            "responses": responses.into_components(),
            "schemas": schemas.into_components(contract)?,
        },
    }))
}

/// One tag per workload that the edge serves.
fn tags(contract: &Contract) -> Value {
    let mut tags: BTreeMap<&str, String> = BTreeMap::new();
    for service in &contract.services {
        let Some(method) = service.methods.iter().find(|m| m.policy.access.is_external()) else {
            continue;
        };
        let descriptor = method.descriptor.parent_service();
        let text = comments::of_service(descriptor);
        let tag = tags.entry(&service.workload).or_default();
        *tag = [tag.as_str(), &text].join(" ").trim().to_owned();
    }
    tags.into_iter().map(|(name, text)| json!({"name": name, "description": text})).collect()
}

fn bearer() -> Value {
    json!({
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `access_token` of a session (ES256, 15 minutes).",
    })
}

#[cfg(test)]
mod tests;
