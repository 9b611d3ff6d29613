//! Debian's Alertmanager reads its templates from one place of the whole machine, which
//! is not there when the package is not installed. In our copy of the program that place
//! is below the directory that it is started in.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

const PLACE: &str = "/usr/share/prometheus/alertmanager";
/// Relative to where it is started.
const INSTEAD: &str = "alertmanager";
/// What it reads there.
const TEMPLATES: [&str; 2] = ["default.tmpl", "email.tmpl"];

/// The program that finds its templates; `unpacked` is what the package holds.
pub(crate) fn alertmanager(program: &Path, unpacked: &Path, state: &Path) -> Result<PathBuf> {
    if TEMPLATES.iter().all(|template| Path::new(PLACE).join(template).exists()) {
        return Ok(program.to_owned());
    }
    let (from, to) = (unpacked.join(PLACE.trim_start_matches('/')), state.join(INSTEAD));
    fs::create_dir_all(&to)?;
    for template in TEMPLATES {
        fs::copy(from.join(template), to.join(template))
            .with_context(|| format!("cannot copy {template} of {}", from.display()))?;
    }
    let copy = to.join("program");
    fs::write(&copy, moved(fs::read(program)?)?)?;
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))?;
    Ok(copy)
}

/// The program with another path of the same length wherever it has this one: `././`
/// means nothing in a path.
fn moved(mut program: Vec<u8>) -> Result<Vec<u8>> {
    let spare = PLACE.len() - INSTEAD.len();
    ensure!(spare.is_multiple_of(2), "the paths do not fit");
    let instead = "./".repeat(spare / 2) + INSTEAD;
    let windows = program.windows(PLACE.len()).enumerate();
    let places: Vec<usize> =
        windows.filter(|(_, bytes)| *bytes == PLACE.as_bytes()).map(|(at, _)| at).collect();
    ensure!(!places.is_empty(), "this Alertmanager does not know {PLACE}");
    for at in places {
        program[at..at + PLACE.len()].copy_from_slice(instead.as_bytes());
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_path_gives_way_to_one_of_the_same_length_and_nothing_else_changes() {
        let program = format!("before{PLACE}after{PLACE}/ui").into_bytes();
        let moved = String::from_utf8(moved(program.clone()).unwrap()).unwrap();
        assert_eq!(moved.len(), program.len());
        assert!(!moved.contains(PLACE) && moved.starts_with("before./././"), "{moved}");
        assert!(moved.contains(&format!("{INSTEAD}after")) && moved.ends_with("/ui"), "{moved}");
    }

    #[test]
    fn a_program_without_the_path_is_refused() {
        assert!(moved(b"something else".to_vec()).is_err());
    }
}
