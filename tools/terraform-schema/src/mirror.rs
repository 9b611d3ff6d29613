//! Lays the provider out as Terraform looks for it: a directory by address, version and
//! platform, with a program in it.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use prost::Message as _;
use stack::{Layout, Progress};

use crate::{derive, package};

/// The last bindings that were published, of hashicorp/google 6.50.0.
pub const GOOGLE: Package =
    Package { name: "@cdktf/provider-google", version: "16.12.1", provider: "hashicorp/google" };
/// Raised whenever something else is derived from the same package.
const DERIVED: u32 = 1;

/// A package on npm with the bindings of a provider.
#[derive(Clone, Copy, Debug)]
pub struct Package {
    pub name: &'static str,
    pub version: &'static str,
    pub provider: &'static str,
}

/// A directory for `filesystem_mirror` in Terraform's configuration; makes it where it is
/// missing. `program` is what serves: it gets `terraform-serve` and a file.
///
/// # Errors
///
/// When npm does not answer, or the package is not understood.
pub fn mirror(
    package: Package,
    program: &Path,
    layout: &Layout,
    progress: &mut dyn Progress,
) -> Result<PathBuf> {
    let name = format!("{}-{}-{DERIVED}", package.name.replace(['/', '@'], "-"), package.version);
    let dir = stack::cache_dir()?.join("terraform").join(name.trim_start_matches('-'));
    fs::create_dir_all(&dir)?;
    // Two checkouts may start at the same time: the second waits here.
    let lock = File::create(dir.join("lock"))?;
    lock.lock()?;
    let schema = dir.join("schema");
    let version = dir.join("version");
    if !version.exists() {
        let archive = fetch(package, &dir, layout, progress)?;
        let bindings = package::read(&archive)?;
        fs::write(&schema, derive::schema(&bindings)?.encode_to_vec())?;
        fs::write(&version, &bindings.version)?;
        fs::remove_file(archive)?;
    }
    let version = fs::read_to_string(version)?;
    ensure!(!version.is_empty(), "the bindings name no version of the provider");
    let mirror = dir.join("mirror");
    write_program(&mirror, package.provider, &version, program, &schema)?;
    Ok(mirror)
}

/// The package itself: nothing that it depends on, and nothing of it is run.
fn fetch(
    package: Package,
    dir: &Path,
    layout: &Layout,
    progress: &mut dyn Progress,
) -> Result<PathBuf> {
    let wanted = format!("{}@{}", package.name, package.version);
    progress.note(&format!("Fetching {wanted} from npm …"));
    let mut npm = stack::npm(layout, progress)?;
    npm.args(["pack", "--ignore-scripts", "--silent", "--pack-destination"]).arg(dir).arg(&wanted);
    let output = npm.output().context("cannot run npm")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "npm does not give us {wanted}: {}", told.trim());
    let file = String::from_utf8(output.stdout)?;
    Ok(dir.join(file.trim()))
}

fn write_program(
    mirror: &Path,
    provider: &str,
    version: &str,
    program: &Path,
    schema: &Path,
) -> Result<()> {
    let dir = mirror
        .join("registry.terraform.io")
        .join(provider)
        .join(version)
        .join(format!("linux_{}", machine()));
    fs::create_dir_all(&dir)?;
    let name = provider.rsplit('/').next().unwrap_or(provider);
    let file = dir.join(format!("terraform-provider-{name}_v{version}"));
    let text =
        format!("#!/bin/sh\nexec '{}' terraform-serve '{}'\n", program.display(), schema.display());
    if fs::read_to_string(&file).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::write(&file, text)?;
    Ok(fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?)
}

/// As Terraform calls this machine's processor.
fn machine() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
