//! The contract with a few words changed, as somebody might.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use walkdir::WalkDir;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// In a file of `proto/stoa`, behind an anchor, the first of one text becomes another.
pub type Edit<'a> = (&'a str, &'a str, &'a str, &'a str);

/// A checkout with the house's contract alone, and some edits in it.
pub fn checkout(edits: &[Edit]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for part in ["proto/stoa", "third_party/proto"] {
        for entry in WalkDir::new(root().join(part)) {
            let entry = entry.unwrap();
            let target = dir.path().join(entry.path().strip_prefix(root()).unwrap());
            if entry.file_type().is_dir() {
                fs::create_dir_all(target).unwrap();
            } else {
                fs::copy(entry.path(), target).unwrap();
            }
        }
    }
    for (file, anchor, old, new) in edits {
        let path = dir.path().join("proto/stoa").join(file);
        let text = fs::read_to_string(&path).unwrap();
        let (before, after) = text.split_once(anchor).unwrap();
        assert!(after.contains(old), "{file}: no {old:?} behind {anchor:?}");
        let text = format!("{before}{anchor}{}", after.replacen(old, new, 1));
        fs::write(path, text).unwrap();
    }
    dir
}
