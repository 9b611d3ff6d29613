//! Where in an object: `spec.containers.[name=orders].env.*.value`.

use anyhow::{Context as _, Result};
use serde_json::Value;

enum Step<'a> {
    Field(&'a str),
    Every,
    /// The item whose field has this value, or, without a field, which is this value.
    Item(&'a str, &'a str),
}

/// The values at a path; none where it leads nowhere.
pub(super) fn find<'a>(object: &'a mut Value, path: &str) -> Result<Vec<&'a mut Value>> {
    let mut found = vec![object];
    for step in steps(path)? {
        found = found.into_iter().flat_map(|value| follow(value, &step)).collect();
    }
    Ok(found)
}

fn steps(path: &str) -> Result<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let (item, after) = after.split_once(']').context("a `[` is not closed")?;
            // Without a value it is a field whose name has dots in it.
            steps.push(item.split_once('=').map_or(Step::Field(item), |(f, v)| Step::Item(f, v)));
            rest = after.strip_prefix('.').unwrap_or(after);
            continue;
        }
        let (step, after) = rest.split_once('.').unwrap_or((rest, ""));
        steps.push(if step == "*" { Step::Every } else { Step::Field(step) });
        rest = after;
    }
    Ok(steps)
}

fn follow<'a>(value: &'a mut Value, step: &Step<'_>) -> Vec<&'a mut Value> {
    match (step, value) {
        (Step::Every, Value::Array(items)) => items.iter_mut().collect(),
        (Step::Item(field, wanted), Value::Array(items)) => items
            .iter_mut()
            .filter(
                |item| if field.is_empty() { **item == *wanted } else { item[*field] == *wanted },
            )
            .collect(),
        (Step::Field(name), Value::Array(items)) => {
            name.parse().ok().and_then(|index: usize| items.get_mut(index)).into_iter().collect()
        }
        (Step::Field(name), Value::Object(fields)) => fields.get_mut(*name).into_iter().collect(),
        _ => Vec::new(),
    }
}
