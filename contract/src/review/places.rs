//! The generated files that a change touches.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use similar::{ChangeTag, TextDiff};

use crate::model::Contract;

/// A generated file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub path: PathBuf,
    /// Lines; none for binary files.
    pub lines: Option<(usize, usize)>,
}

pub(super) fn compare(before: &Contract, after: &Contract) -> Result<Vec<Place>> {
    let mut files: BTreeMap<PathBuf, (Vec<u8>, Vec<u8>)> = BTreeMap::new();
    for file in crate::generate_from(before)? {
        files.entry(file.path).or_default().0 = file.contents;
    }
    for file in crate::generate_from(after)? {
        files.entry(file.path).or_default().1 = file.contents;
    }
    Ok(files
        .into_iter()
        .filter(|(_, (old, new))| old != new)
        .map(|(path, (old, new))| Place { path, lines: lines(&old, &new) })
        .collect())
}

fn lines(old: &[u8], new: &[u8]) -> Option<(usize, usize)> {
    let (old, new) = (std::str::from_utf8(old).ok()?, std::str::from_utf8(new).ok()?);
    // Text that happens to be none: a descriptor set.
    if old.contains('\0') || new.contains('\0') {
        return None;
    }
    let diff = TextDiff::from_lines(old, new);
    let count = |tag| diff.iter_all_changes().filter(|c| c.tag() == tag).count();
    Some((count(ChangeTag::Insert), count(ChangeTag::Delete)))
}
