//! The files of the checkout.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// A text file.
pub struct Source {
    /// Relative to the checkout, with forward slashes.
    pub path: String,
    pub text: String,
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Files with this extension that people write, below `dir`.
pub fn sources(dir: &str, extension: &str) -> Vec<Source> {
    let root = root();
    let skip = ["target", "node_modules", ".git", ".stoa", "gen", "third_party"];
    let walk = WalkDir::new(root.join(dir)).sort_by_file_name().into_iter();
    walk.filter_entry(|e| !skip.iter().any(|s| e.file_name() == *s))
        .map(Result::unwrap)
        .filter(|e| e.path().extension().is_some_and(|x| x == extension))
        .map(|e| {
            let path = e.path().strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            Source { text: fs::read_to_string(e.path()).unwrap(), path }
        })
        .collect()
}

/// Fails with all complaints, one a line.
pub fn no_complaints(rule: &str, complaints: &[String]) {
    assert!(complaints.is_empty(), "{rule}:\n  {}", complaints.join("\n  "));
}
