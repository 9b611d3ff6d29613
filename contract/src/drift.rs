//! Where the checkout and the contract disagree, and about which method.

mod binary;
mod mentions;
mod strays;
mod text;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{Contract, File};

/// A place that is not what the contract makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Relative to the checkout.
    pub path: PathBuf,
    pub what: What,
}

/// What is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The file does not exist.
    Missing,
    /// It lies among generated files or says that it is one, and is none.
    Stray,
    /// It says something else.
    Changed {
        /// The first such line of the file, where it has lines.
        line: Option<usize>,
        /// A method, a message, or another part of the contract. Empty where none is near.
        about: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        match &self.what {
            What::Missing => write!(f, ": is missing"),
            What::Stray => write!(f, ": is not made from the contract"),
            What::Changed { line, about } => {
                if let Some(line) = line {
                    write!(f, ":{line}")?;
                }
                let about = if about.is_empty() { "the file as a whole" } else { about };
                write!(f, ": {about}")
            }
        }
    }
}

/// Every disagreement of the checkout at `root` with the files made from its contract,
/// by path and line.
pub fn find(root: &Path, contract: &Contract, files: &[File]) -> Result<Vec<Difference>> {
    let mut found = Vec::new();
    for file in files {
        match std::fs::read(root.join(&file.path)) {
            Ok(contents) => found.extend(compare(contract, file, &contents)),
            Err(_) => found.push(Difference { path: file.path.clone(), what: What::Missing }),
        }
    }
    let strays = strays::find(root, files)?;
    found.extend(strays.into_iter().map(|path| Difference { path, what: What::Stray }));
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Where a file's contents differ: one entry for each method, message or other part
/// of the contract that is concerned.
pub fn compare(contract: &Contract, wanted: &File, found: &[u8]) -> Vec<Difference> {
    if wanted.contents == found {
        return Vec::new();
    }
    let places = match (std::str::from_utf8(found), std::str::from_utf8(&wanted.contents)) {
        _ if wanted.path.extension().is_some_and(|e| e == "binpb") => {
            binary::differences(found, &wanted.contents)
        }
        (Ok(found), Ok(wanted)) => text::differences(contract, found, wanted),
        _ => Vec::new(),
    };
    let mut differences: Vec<Difference> = Vec::new();
    for (line, about) in places {
        let what =
            |d: &Difference| matches!(&d.what, What::Changed { about: a, .. } if *a == about);
        if !differences.iter().any(what) {
            let what = What::Changed { line, about };
            differences.push(Difference { path: wanted.path.clone(), what });
        }
    }
    if differences.is_empty() {
        let what = What::Changed { line: None, about: String::new() };
        differences.push(Difference { path: wanted.path.clone(), what });
    }
    differences
}

#[cfg(test)]
mod tests;
