//! The contract with a few words changed, as somebody might.

use std::path::{Path, PathBuf};
use std::process::Command;

use contract::Contract;
use tempfile::TempDir;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// In a file, behind an anchor, the first of one text becomes another.
pub type Edit<'a> = (&'a str, &'a str, &'a str, &'a str);

/// The house's contract with some edits.
pub fn edited(edits: &[Edit]) -> Contract {
    let dir = TempDir::new().unwrap();
    for tree in ["proto/stoa", "third_party/proto"] {
        let to = dir.path().join(tree);
        std::fs::create_dir_all(&to).unwrap();
        let from = format!("{}/.", root().join(tree).display());
        assert!(Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap().success());
    }
    for (file, anchor, old, new) in edits {
        let path = dir.path().join("proto/stoa").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, after) = text.split_once(anchor).unwrap();
        assert!(after.contains(old), "{file}: no {old:?} behind {anchor:?}");
        let text = format!("{before}{anchor}{}", after.replacen(old, new, 1));
        std::fs::write(path, text).unwrap();
    }
    contract::load(dir.path()).unwrap()
}
