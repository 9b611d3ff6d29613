//! `upgrade`: the release before, from Git, is followed by this checkout's under load.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Args, ValueEnum};

use crate::cargo::{bin_dir, cargo, run, run_async};

/// What a release runs.
const PROGRAMS: [&str; 10] = [
    "identity",
    "catalog",
    "inventory",
    "cart",
    "orders",
    "payments",
    "notifications",
    "sandbox",
    "guard",
    "docs",
];
/// What it reads.
const FILES: [&str; 5] = [
    "envoy/edge.yaml",
    "envoy/descriptor.binpb",
    "envoy/certificates",
    "docs/api/openapi.yaml",
    "seeds",
];
const MIGRATIONS: [&str; 2] = ["services/*/migrations/*", "shared/*/migrations/*"];
/// The contract that was released last.
const RELEASED: &str = "proto/released";

/// Letters of a commit's name.
const COMMIT: usize = 40;
/// Releases that are kept, half a gigabyte each.
const KEPT: usize = 3;

#[derive(Args)]
pub struct Arguments {
    /// The release before, as Git knows it. If not said, the newest tag `v*`; where there
    /// is none, the commit before the newest migration since the contract was released, or
    /// else the commit before this one.
    #[arg(long)]
    base: Option<String>,
    /// How many customers shop at the same time.
    #[arg(long, default_value_t = 8)]
    customers: usize,
    /// Start stores without TLS, for a release before that knows none.
    #[arg(long)]
    plain_stores: bool,
    /// Break the rules for migrations: it must be noticed.
    #[arg(long)]
    breaking: Option<Breaking>,
}

/// A migration that the release before cannot live with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Breaking {
    DropColumn,
    RenameColumn,
    NotNull,
}

impl Arguments {
    pub async fn run(&self, root: &Path) -> Result<()> {
        let commit = before(root, self.base.as_deref())?;
        println!("The release before: {}", git(root, &["log", "-1", "--format=%h %s", &commit])?);
        let releases = stack::cache_dir()?.join("releases");
        fs::create_dir_all(&releases)?;
        // Two builds in one place would be in each other's way.
        let turn = File::create(releases.join("lock"))?;
        turn.lock()?;
        let before = releases.join(&commit);
        if !before.exists() {
            build(root, &commit, &releases).await?;
        }
        let mut own = cargo(root);
        own.args(["build", "--workspace", "--bins"]);
        run_async(own).await?;
        // Builds that follow must not replace programs that run.
        let next = releases.join("next");
        keep(root, &bin_dir()?, &next)?;
        let mut upgrade = Command::new(bin_dir()?.join("upgrade"));
        upgrade.current_dir(root).arg("--before").arg(before).arg("--next").arg(next);
        upgrade.args(["--customers", &self.customers.to_string()]);
        upgrade.args(self.plain_stores.then_some("--plain-stores"));
        if let Some(breaking) = self.breaking.and_then(|breaking| breaking.to_possible_value()) {
            upgrade.args(["--breaking", breaking.get_name()]);
        }
        run_async(upgrade).await
    }
}

/// The commit of the release before.
fn before(root: &Path, base: Option<&str>) -> Result<String> {
    let shallow = git(root, &["rev-parse", "--is-shallow-repository"])? == "true";
    let found = find(root, base);
    if shallow && (found.is_err() || base.is_none()) {
        bail!(
            "this is a shallow clone, which does not know the release before: \
             `git fetch --unshallow --tags`, or a checkout with its whole history"
        );
    }
    found
}

fn find(root: &Path, base: Option<&str>) -> Result<String> {
    let commit = |name: &str| {
        git(root, &["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")])
            .with_context(|| format!("Git knows no commit {name}"))
    };
    if let Some(base) = base {
        return commit(base);
    }
    let head = commit("HEAD")?;
    let tags = git(root, &["tag", "--list", "v*", "--sort=-v:refname", "--merged", "HEAD"])?;
    for tag in tags.lines() {
        let tagged = commit(tag)?;
        if tagged != head {
            return Ok(tagged);
        }
    }
    let released = git(root, &["log", "-1", "--format=%H", "--", RELEASED])?;
    let since = if released.is_empty() { head } else { format!("{released}..{head}") };
    let newest = [&["log", "-1", "--format=%H", &since, "--"][..], &MIGRATIONS].concat();
    let newest = git(root, &newest)?;
    let after = if newest.is_empty() { "HEAD" } else { &newest };
    commit(&format!("{after}^")).context("nothing came before: say what did by BASE=…")
}

/// Builds a commit's programs in a checkout of its own and keeps only what a release
/// runs. What it is built of is shared with the releases before it, and not with this
/// checkout: Cargo tells two checkouts' crates of one name apart by their age alone.
async fn build(root: &Path, commit: &str, releases: &Path) -> Result<()> {
    let (source, target) = (releases.join("source"), releases.join("target"));
    forget(root, &source)?;
    run(Command::new("git")
        .current_dir(root)
        .args(["worktree", "add", "--quiet", "--detach"])
        .arg(&source)
        .arg(commit))?;
    let mut build = cargo(&source);
    build.args(["build", "--bins"]);
    build.args(PROGRAMS.iter().flat_map(|program| ["--package", program]));
    build.env("CARGO_TARGET_DIR", &target).env("CARGO_INCREMENTAL", "0");
    build.env("CARGO_PROFILE_DEV_DEBUG", "0");
    run_async(build).await.context("the release before does not build")?;
    let unfinished = releases.join("unfinished");
    keep(&source, &target.join("debug"), &unfinished)?;
    fs::rename(unfinished, releases.join(commit))?;
    forget(root, &source)?;
    forget_old(releases)
}

/// Removes releases but for the few that were built last.
fn forget_old(releases: &Path) -> Result<()> {
    let mut built = Vec::new();
    for entry in fs::read_dir(releases)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().bytes().filter(u8::is_ascii_hexdigit).count() == COMMIT {
            built.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    built.sort();
    built.iter().rev().skip(KEPT).try_for_each(|(_, path)| Ok(fs::remove_dir_all(path)?))
}

/// Removes a checkout that was made beside ours, if there is one.
fn forget(root: &Path, source: &Path) -> Result<()> {
    if source.exists() {
        fs::remove_dir_all(source)?;
    }
    git(root, &["worktree", "prune"]).map(drop)
}

/// Puts what a release runs and reads into one directory.
fn keep(root: &Path, built: &Path, release: &Path) -> Result<()> {
    match fs::remove_dir_all(release) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => fs::create_dir_all(release.join("bin"))?,
    }
    for program in PROGRAMS {
        let (from, to) = (built.join(program), release.join("bin").join(program));
        // On another disk it is copied.
        if fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to).with_context(|| from.display().to_string())?;
        }
    }
    for file in FILES {
        let to = release.join(file);
        fs::create_dir_all(to.parent().context("a file lies in no directory")?)?;
        let from = root.join(file);
        let copied = Command::new("cp").arg("-r").args([&from, &to]).status()?;
        ensure!(copied.success(), "cannot copy {}", from.display());
    }
    Ok(())
}

/// What Git answers.
fn git(root: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new("git").current_dir(root).args(arguments).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "git {}: {}", arguments.join(" "), said.trim());
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[cfg(test)]
mod tests;
