//! Packages from npm, pinned, in the cache that all checkouts share.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Result, bail};

use crate::install::{cache, packages, run};
use crate::layout::Layout;
use crate::progress::Progress;

/// A directory whose `node_modules` holds packages, each `name@version`. Their scripts
/// are not run: they may be anybody's, and some report to their makers.
pub fn install(wanted: &[&str], layout: &Layout, progress: &mut dyn Progress) -> Result<PathBuf> {
    let name = directory(wanted);
    let dir = cache()?.join("npm").join(name);
    let complete = dir.join("complete");
    fs::create_dir_all(&dir)?;
    // Two checkouts may start at the same time: the second waits here.
    let lock = File::create(dir.with_extension("lock"))?;
    lock.lock()?;
    if complete.exists() {
        return Ok(dir);
    }
    let what = wanted.join(", ");
    progress.note(&format!("Installing {what} from npm …"));
    let began = Instant::now();
    let mut npm = program(layout, progress)?;
    npm.args(["install", "--ignore-scripts", "--no-fund", "--no-audit", "--prefix"]);
    run(layout, npm.arg(&dir).args(wanted))?;
    File::create(complete)?;
    progress.done(&format!("{what} installed"), began.elapsed());
    Ok(dir)
}

/// A name for these packages that a file system takes: of many only the beginning can be
/// read.
fn directory(wanted: &[&str]) -> String {
    let name = wanted.join("+").replace(['/', '@'], "-");
    if name.len() <= LONGEST {
        return name;
    }
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    format!("{}-{:016x}", &name[..LONGEST / 2], hasher.finish())
}

/// Of a file's name, with room for what is put behind it.
const LONGEST: usize = 200;

/// What the lock file of a directory of the checkout names, in its `node_modules`.
pub fn locked(dir: &Path, layout: &Layout, progress: &mut dyn Progress) -> Result<()> {
    let lock = fs::read(dir.join("package-lock.json"))?;
    let installed = dir.join("node_modules/.installed-from");
    if fs::read(&installed).is_ok_and(|from| from == lock) {
        return Ok(());
    }
    progress.note(&format!("Installing what {} needs from npm …", dir.display()));
    let mut npm = program(layout, progress)?;
    npm.current_dir(dir).args(["ci", "--ignore-scripts", "--no-fund", "--no-audit"]);
    run(layout, &mut npm)?;
    Ok(fs::write(installed, lock)?)
}

/// `npm`; installs it where it is missing.
pub fn program(layout: &Layout, progress: &mut dyn Progress) -> Result<Command> {
    let works = || {
        let mut command = Command::new("npm");
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !works() {
        packages(&["npm", "nodejs"], layout, progress)?;
        if !works() {
            bail!("npm does not run");
        }
    }
    Ok(Command::new("npm"))
}
