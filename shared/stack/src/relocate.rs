//! Debian's Alertmanager reads its default template from one place of the whole machine,
//! which is not there when the package is not installed. In our copy of the program that
//! place is below the directory that it is started in.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

const TEMPLATE: &str = "/usr/share/prometheus/alertmanager/default.tmpl";
/// Relative to where it is started.
const INSTEAD: &str = "alertmanager/default.tmpl";

/// The program that finds its template; `unpacked` is what the package holds.
pub(crate) fn alertmanager(program: &Path, unpacked: &Path, state: &Path) -> Result<PathBuf> {
    if Path::new(TEMPLATE).exists() {
        return Ok(program.to_owned());
    }
    let template = unpacked.join(TEMPLATE.trim_start_matches('/'));
    fs::create_dir_all(state.join("alertmanager"))?;
    fs::copy(&template, state.join(INSTEAD))
        .with_context(|| format!("cannot copy {}", template.display()))?;
    let copy = state.join("alertmanager/program");
    fs::write(&copy, moved(fs::read(program)?)?)?;
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))?;
    Ok(copy)
}

/// The program with another path of the same length: `././` means nothing in one.
fn moved(mut program: Vec<u8>) -> Result<Vec<u8>> {
    let spare = TEMPLATE.len() - INSTEAD.len();
    ensure!(spare.is_multiple_of(2), "the paths do not fit");
    let instead = "./".repeat(spare / 2) + INSTEAD;
    let found = program.windows(TEMPLATE.len()).position(|at| at == TEMPLATE.as_bytes());
    let at = found.context("this Alertmanager knows no default template")?;
    program[at..at + TEMPLATE.len()].copy_from_slice(instead.as_bytes());
    Ok(program)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_path_gives_way_to_one_of_the_same_length_and_nothing_else_changes() {
        let program = format!("before{TEMPLATE}after").into_bytes();
        let moved = String::from_utf8(moved(program.clone()).unwrap()).unwrap();
        assert_eq!(moved.len(), program.len());
        assert!(moved.starts_with("before./././") && moved.ends_with(&format!("{INSTEAD}after")));
    }

    #[test]
    fn a_program_without_the_path_is_refused() {
        assert!(moved(b"something else".to_vec()).is_err());
    }
}
