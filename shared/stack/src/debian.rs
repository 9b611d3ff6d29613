//! Programs out of Debian packages that are not installed: some would have a server
//! started with the machine.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::install::{cache, find, run};
use crate::layout::Layout;
use crate::progress::Progress;

/// The program: the machine's own, or else taken out of Debian's package into the cache
/// that all checkouts share.
pub fn program(
    package: &str,
    program: &str,
    layout: &Layout,
    progress: &mut dyn Progress,
) -> Result<PathBuf> {
    if let Some(installed) = find(program) {
        return Ok(installed);
    }
    let unpacked = unpacked(package, layout, progress).with_context(|| {
        format!("{program} is missing; it comes with Debian's package {package}")
    })?;
    Ok(unpacked.join("usr/bin").join(program))
}

fn unpacked(package: &str, layout: &Layout, progress: &mut dyn Progress) -> Result<PathBuf> {
    let dir = cache()?.join("debian").join(package);
    let complete = dir.join("complete");
    fs::create_dir_all(&dir)?;
    // Two checkouts may start at the same time: the second waits here.
    let lock = File::create(dir.with_extension("lock"))?;
    lock.lock()?;
    if complete.exists() {
        return Ok(dir);
    }
    progress.note(&format!("Taking {package} out of its Debian package …"));
    let began = Instant::now();
    let work = dir.join("download");
    fs::create_dir_all(&work)?;
    let fetch = || {
        let mut command = Command::new("apt-get");
        run(layout, command.args(["download", package]).current_dir(&work))
    };
    if fetch().is_err() {
        run(layout, Command::new("apt-get").arg("update"))?;
        fetch()?;
    }
    run(layout, Command::new("dpkg-deb").arg("-x").arg(archive(&work)?).arg(&dir))?;
    fs::remove_dir_all(&work)?;
    File::create(complete)?;
    progress.done(&format!("{package} unpacked"), began.elapsed());
    Ok(dir)
}

fn archive(dir: &Path) -> Result<PathBuf> {
    let mut files = fs::read_dir(dir)?.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let archive = files.find(|file| file.extension().is_some_and(|extension| extension == "deb"));
    archive.context("nothing was downloaded")
}
