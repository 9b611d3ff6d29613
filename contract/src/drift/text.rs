//! Differences between texts.

use similar::{DiffOp, TextDiff};

use super::mentions::Mentions;
use crate::Contract;

/// The changed lines of `found` and what they are about.
pub(super) fn differences(
    contract: &Contract,
    found: &str,
    wanted: &str,
) -> Vec<(Option<usize>, String)> {
    let mentions = Mentions::of(contract);
    let (old, new): (Vec<&str>, Vec<&str>) = (found.lines().collect(), wanted.lines().collect());
    let diff = TextDiff::from_slices(&old, &new);
    let mut places = Vec::new();
    for op in diff.ops() {
        let (removed, added) = (op.old_range(), op.new_range());
        let mut about = Vec::new();
        match op {
            DiffOp::Equal { .. } => continue,
            DiffOp::Delete { .. } => about.extend(block(&mentions, &old, removed.clone())),
            DiffOp::Insert { .. } => about.extend(block(&mentions, &new, added)),
            DiffOp::Replace { .. } => {
                about.extend(removed.clone().flat_map(|line| mentions.nearest(&old, line)));
                about.extend(added.flat_map(|line| mentions.nearest(&new, line)));
            }
        }
        if about.is_empty() {
            about.push(String::new());
        }
        places.extend(about.into_iter().map(|about| (Some(removed.start + 1), about)));
    }
    places
}

/// A whole block is about what it names; only one that names nothing is about what
/// stands above it.
fn block(mentions: &Mentions, lines: &[&str], range: std::ops::Range<usize>) -> Vec<String> {
    let mut names: Vec<String> = range.clone().flat_map(|line| mentions.on(lines[line])).collect();
    if names.is_empty() {
        names = mentions.nearest(lines, range.start);
    }
    names
}
