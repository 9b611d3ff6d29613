//! What the working tree is compared with.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use contract::{Contract, release};

/// A contract of before.
pub enum Base {
    /// A commit, and what it is to us.
    Commit { id: String, what: String },
    /// The last release.
    Released { why: String },
}

impl Base {
    /// The one that was asked for.
    pub fn named(root: &Path, name: &str) -> Result<Self> {
        if name == "released" {
            return Ok(Self::Released { why: String::new() });
        }
        let id = commit(root, name).with_context(|| format!("git knows no {name}"))?;
        ensure!(has_contract(root, &id), "{name} has no contract (proto/stoa)");
        Ok(Self::Commit { id, what: name.to_owned() })
    }

    /// Where HEAD left main; on main itself the commit before; without history the
    /// last release.
    pub fn usual(root: &Path) -> Result<Self> {
        let found = since_main(root).filter(|base| match base {
            Self::Commit { id, .. } => has_contract(root, id),
            Self::Released { .. } => true,
        });
        let why = "there is no git history to compare with".to_owned();
        Ok(found.unwrap_or(Self::Released { why }))
    }

    pub fn is_released(&self) -> bool {
        matches!(self, Self::Released { .. })
    }

    /// Reads the contract; an older one may break rules that are younger.
    pub fn load(&self, root: &Path) -> Result<Contract> {
        match self {
            Self::Released { .. } => {
                let released = release::read(root)?;
                Ok(released.context("no contract was released yet")?.contract)
            }
            Self::Commit { id, what } => {
                let dir = tempfile::tempdir()?;
                extract(root, id, dir.path())?;
                contract::load_older(dir.path()).with_context(|| format!("the contract of {what}"))
            }
        }
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit { id, what } => write!(f, "{what} ({})", &id[..10.min(id.len())]),
            Self::Released { why } if why.is_empty() => write!(f, "the released contract"),
            Self::Released { why } => write!(f, "the released contract: {why}"),
        }
    }
}

fn since_main(root: &Path) -> Option<Base> {
    // A tree that was unpacked inside somebody else's checkout has no history.
    let top = git(root, &["rev-parse", "--show-toplevel"])?;
    if Path::new(&top).canonicalize().ok()? != root.canonicalize().ok()? {
        return None;
    }
    let head = commit(root, "HEAD")?;
    let fork = |main: &'static str| Some((git(root, &["merge-base", "HEAD", main])?, main));
    let (id, main) = ["origin/main", "main"].into_iter().find_map(fork)?;
    if id != head {
        return Some(Base::Commit { id, what: format!("where this left {main}") });
    }
    let id = commit(root, "HEAD^")?;
    Some(Base::Commit { id, what: "the commit before HEAD".to_owned() })
}

fn commit(root: &Path, name: &str) -> Option<String> {
    git(root, &["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")])
}

fn has_contract(root: &Path, id: &str) -> bool {
    git(root, &["cat-file", "-e", &format!("{id}:proto/stoa")]).is_some()
}

/// What git answers; none when it refuses.
fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").current_dir(root).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Unpacks a commit's `.proto` files.
fn extract(root: &Path, id: &str, dir: &Path) -> Result<()> {
    let mut archive = Command::new("git");
    archive.current_dir(root).args(["archive", id, "proto/stoa", "third_party/proto"]);
    let mut archive = archive.stdout(Stdio::piped()).spawn().context("cannot run git")?;
    let files = archive.stdout.take().context("git has no output")?;
    let unpacked = Command::new("tar").arg("-x").arg("-C").arg(dir).stdin(files).status();
    let packed = archive.wait()?;
    if !(packed.success() && unpacked.context("cannot run tar")?.success()) {
        bail!("cannot take the contract of {id} from git");
    }
    Ok(())
}
