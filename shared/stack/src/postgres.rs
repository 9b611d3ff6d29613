//! A private PostgreSQL server.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::fleet::Fleet;
use crate::install::{Tools, is_root};
use crate::layout::{Layout, remove_dir, write_private};
use crate::probe::Probe;
use crate::process::{Phase, Spec};
use crate::store_tls::StoreTls;

/// The superuser; as root also the system user that the server runs as,
/// because PostgreSQL refuses to run as root.
const USER: &str = "postgres";

/// A server to start.
pub(crate) struct Postgres {
    pub(crate) bin: PathBuf,
    pub(crate) port: u16,
    pub(crate) max_connections: u16,
    /// A role and a database for each, with the password `postgres-<name>`.
    pub(crate) databases: Vec<&'static str>,
    /// Nothing but TLS is spoken.
    pub(crate) tls: Option<StoreTls>,
}

impl Postgres {
    pub(crate) fn new(
        tools: &Tools,
        port: u16,
        databases: &[&'static str],
        tls: Option<StoreTls>,
    ) -> Self {
        // Tests make a database each and run as many at once as there are processors.
        let max_connections = if databases.is_empty() { 400 } else { 200 };
        let (bin, databases) = (tools.postgres.clone(), databases.to_vec());
        Self { bin, port, max_connections, databases, tls }
    }

    pub(crate) async fn start(self, fleet: Fleet) -> Result<()> {
        let data = self.init(&fleet.layout).await?;
        let mut settings = vec![
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            format!("max_connections={}", self.max_connections),
            // Without the DETAIL of errors, which repeats values: a customer's address.
            "log_error_verbosity=terse".to_owned(),
        ];
        if let Some(tls) = &self.tls {
            settings.extend(encrypted(tls, &home(&fleet.layout)).await?);
        }
        let mut args: Vec<OsString> = vec!["-D".into(), data.into()];
        args.extend(settings.into_iter().flat_map(|setting| ["-c".into(), setting.into()]));
        let (program, args) = as_postgres(self.bin.join("postgres"), args);
        // SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for clients.
        fleet
            .spawn(Spec::new("postgres", Phase::Store, program).args(args).stop_by(Signal::INT))?;
        let port = self.port.to_string();
        let asks: Vec<OsString> = ["-q", "-h", "127.0.0.1", "-p", &port].map(Into::into).into();
        let ready = Probe::Command(self.bin.join("pg_isready"), asks);
        fleet.ready("postgres", &ready, Duration::from_secs(60)).await?;
        self.create_databases(&fleet.layout).await
    }

    /// Makes the data directory at the first start; answers where it is.
    async fn init(&self, layout: &Layout) -> Result<PathBuf> {
        let home = home(layout);
        let data = home.join("data");
        let password = layout.secret("postgres")?;
        make_home(&home).await?;
        if data.exists() {
            self.check_version(&data)?;
            return Ok(data);
        }
        // Renamed at the end: a start that was cut short leaves no half database.
        let unfinished = home.join("unfinished");
        remove_dir(&unfinished)?;
        let password_file = home.join("password");
        write_private(&password_file, &password)?;
        if is_root() {
            run(Command::new("chown").arg(USER).arg(&password_file)).await?;
        }
        let mut pwfile = OsString::from("--pwfile=");
        pwfile.push(&password_file);
        let (program, args) = as_postgres(
            self.bin.join("initdb"),
            ["-A", "scram-sha-256", "-U", USER, "-E", "UTF8", "--locale=C.UTF-8"]
                .map(OsString::from)
                .into_iter()
                .chain([pwfile, "-D".into(), unfinished.clone().into()])
                .collect(),
        );
        let result = run(Command::new(program).args(args)).await;
        fs::remove_file(&password_file)?;
        result.context("initdb failed")?;
        fs::rename(unfinished, &data)?;
        Ok(data)
    }

    fn check_version(&self, data: &Path) -> Result<()> {
        let wrote = fs::read_to_string(data.join("PG_VERSION"))?;
        let runs = self.bin.parent().and_then(Path::file_name).unwrap_or_default();
        if wrote.trim() != runs.to_string_lossy() {
            bail!(
                "{} was written by PostgreSQL {}, this machine has {}; \
                 `make clean` removes the data",
                data.display(),
                wrote.trim(),
                runs.display(),
            );
        }
        Ok(())
    }

    async fn create_databases(&self, layout: &Layout) -> Result<()> {
        if self.databases.is_empty() {
            return Ok(());
        }
        let mut script = String::new();
        for name in &self.databases {
            let password = layout.secret(&format!("postgres-{name}"))?;
            script += &format!(
                "select 'create role {name} login' where to_regrole('{name}') is null \\gexec\n\
                 alter role {name} password '{password}';\n\
                 select 'create database {name} owner {name}' where not exists \
                 (select from pg_database where datname = '{name}') \\gexec\n"
            );
        }
        let mut psql = Command::new(self.bin.join("psql"))
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", USER, "-p"])
            .arg(self.port.to_string())
            .env("PGPASSWORD", layout.secret("postgres")?)
            .env("PGSSLMODE", if self.tls.is_some() { "require" } else { "disable" })
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut input = psql.stdin.take().context("psql has no input")?;
        input.write_all(script.as_bytes()).await?;
        drop(input);
        let output = psql.wait_with_output().await?;
        if !output.status.success() {
            bail!("cannot make databases: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }
}

/// Settings by which nobody gets in without TLS. PostgreSQL wants the key to be its
/// own user's.
async fn encrypted(tls: &StoreTls, home: &Path) -> Result<Vec<String>> {
    let files = tls.write(home)?;
    let rules = home.join("pg_hba.conf");
    fs::write(&rules, "hostssl all all 127.0.0.1/32 scram-sha-256\n")?;
    if is_root() {
        let owned = [&files.certificate, &files.key, &rules];
        run(Command::new("chown").arg(format!("{USER}:{USER}")).args(owned)).await?;
    }
    Ok(vec![
        "ssl=on".to_owned(),
        "ssl_min_protocol_version=TLSv1.2".to_owned(),
        format!("ssl_cert_file={}", files.certificate.display()),
        format!("ssl_key_file={}", files.key.display()),
        format!("hba_file={}", rules.display()),
    ])
}

/// Where the server keeps its data: in the state directory, or as root, where
/// the user `postgres` cannot get there, under `/var/lib/stoa`.
pub(crate) fn home(layout: &Layout) -> PathBuf {
    let inside = layout.path("postgres");
    if !is_root() || passable_by_all(layout.state()) {
        return inside;
    }
    let name: String = inside.to_string_lossy().chars().map(plain).collect();
    Path::new("/var/lib/stoa").join(name.trim_start_matches('-'))
}

/// A path as one file name. Distinct paths that differ only in odd characters
/// would meet; nobody names checkouts so.
fn plain(c: char) -> char {
    if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '-' }
}

fn passable_by_all(path: &Path) -> bool {
    path.ancestors().all(|dir| match fs::metadata(dir) {
        Ok(metadata) => metadata.permissions().mode() & 0o001 != 0,
        // Will be made by us, with 755.
        Err(_) => true,
    })
}

async fn make_home(home: &Path) -> Result<()> {
    if let Some(parent) = home.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    let mut install = Command::new("install");
    install.args(["-d", "-m", "700"]);
    if is_root() {
        install.args(["-o", USER, "-g", USER]);
    }
    run(install.arg(home)).await
}

/// The command line that runs `program` as a user that PostgreSQL accepts.
fn as_postgres(program: PathBuf, args: Vec<OsString>) -> (PathBuf, Vec<OsString>) {
    if !is_root() {
        return (program, args);
    }
    let change: [OsString; 3] = [
        format!("--reuid={USER}").into(),
        format!("--regid={USER}").into(),
        "--clear-groups".into(),
    ];
    let args = change.into_iter().chain([program.into()]).chain(args).collect();
    (PathBuf::from("setpriv"), args)
}

async fn run(command: &mut Command) -> Result<()> {
    let output = command.current_dir("/").stdin(Stdio::null()).output().await?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
