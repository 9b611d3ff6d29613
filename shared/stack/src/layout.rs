//! Where a stack keeps its files, and its generated passwords.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rand::Rng as _;
use rand::distr::Alphanumeric;

/// The directories that a stack owns under its state directory.
const OWNED: [&str; 13] = [
    "log",
    "log.old",
    "run",
    "secrets",
    "pki",
    "postgres",
    "rabbitmq",
    "redis",
    "mail",
    "envoy",
    "viewer",
    "prometheus",
    "alertmanager",
];

/// The state directory of one stack.
#[derive(Debug, Clone)]
pub struct Layout {
    state: PathBuf,
}

impl Layout {
    /// The layout under `state`, which need not exist yet.
    pub fn new(state: &Path) -> Result<Self> {
        Ok(Self { state: std::path::absolute(state)? })
    }

    /// The state directory itself.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// One of the owned directories, or a file in one.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.state.join(relative)
    }

    /// The log of a process.
    pub fn log(&self, name: &str) -> PathBuf {
        self.path("log").join(format!("{name}.log"))
    }

    /// What `make up` printed; its presence means that the start was complete.
    pub fn summary(&self) -> PathBuf {
        self.path("run/summary.txt")
    }

    /// Makes the directories; logs of the start before move to `log.old`.
    pub(crate) fn prepare(&self) -> Result<()> {
        fs::create_dir_all(&self.state)
            .with_context(|| format!("cannot make {}", self.state.display()))?;
        remove_dir(&self.path("log.old"))?;
        match fs::rename(self.path("log"), self.path("log.old")) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        for dir in ["log", "run", "secrets", "pki", "mail/cur", "mail/new", "mail/tmp", "envoy"] {
            fs::create_dir_all(self.path(dir))?;
        }
        Ok(())
    }

    /// Held while a stack is started or supervised.
    ///
    /// Fails when another process holds it.
    pub(crate) fn lock(&self) -> Result<File> {
        fs::create_dir_all(&self.state)?;
        let file = File::create(self.path("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                bail!("another process is starting or running a stack in {}", self.state.display())
            }
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// The password called `name`: made at the first call, the same ever after.
    pub fn secret(&self, name: &str) -> Result<String> {
        let path = self.path("secrets").join(name);
        match fs::read_to_string(&path) {
            Ok(secret) if !secret.is_empty() => return Ok(secret),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("{}", path.display())),
        }
        let secret: String =
            rand::rng().sample_iter(Alphanumeric).take(24).map(char::from).collect();
        write_private(&path, &secret)?;
        Ok(secret)
    }

    /// Removes all that a stack wrote, data and passwords included.
    pub(crate) fn remove(&self) -> Result<()> {
        remove_dir(&crate::postgres::home(self))?;
        for dir in OWNED {
            remove_dir(&self.path(dir))?;
        }
        Ok(())
    }
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(path: &Path, contents: &str) -> Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(file.write_all(contents.as_bytes())?)
}

/// Removes a directory; one that is not there is fine.
pub(crate) fn remove_dir(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_stays_the_same_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path()).unwrap();
        layout.prepare().unwrap();
        let first = layout.secret("admin").unwrap();
        assert_eq!((first.len(), layout.secret("admin").unwrap()), (24, first.clone()));
        assert_ne!(first, layout.secret("other").unwrap());
        let mode = fs::metadata(layout.path("secrets/admin")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_second_owner_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path()).unwrap();
        let _held = layout.lock().unwrap();
        assert!(layout.lock().is_err());
    }
}
