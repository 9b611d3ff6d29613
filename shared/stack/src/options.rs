//! What to start, where it keeps its files and on which ports it listens.

mod ports;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

pub use self::ports::Ports;

/// The services of the mesh, in the order in which they are shown.
pub const SERVICES: [&str; 7] =
    ["identity", "catalog", "inventory", "cart", "orders", "payments", "notifications"];

/// How to start a [`crate::Stack`].
#[derive(Debug, Clone)]
pub struct Options {
    /// The checkout: `envoy/` and `seeds/` are read from it.
    pub root: PathBuf,
    /// Everything that is written goes here.
    pub state: PathBuf,
    /// Where to listen, always on 127.0.0.1.
    pub ports: Ports,
    /// Where the service binaries are.
    pub bin_dir: PathBuf,
    /// Whether to fill an empty catalogue from `seeds/catalogue.json`.
    pub seed: bool,
    /// Whether to begin with an empty state: data of an earlier start is removed.
    pub fresh: bool,
    /// More settings: service, `sandbox` or `edge`, variable, value; they win over our
    /// own.
    pub settings: Vec<(String, String, String)>,
    /// Who reaches whom by another port than the one listened on; for tests that
    /// stand between.
    pub detours: Vec<Detour>,
    /// Further processes of services, as [`Options::add_replica`] named them.
    pub replicas: Vec<String>,
    /// Who collects traces, by OTLP over gRPC: `127.0.0.1:4317`. Nobody: none are sent.
    pub collector: Option<SocketAddrV4>,
    /// Whether Prometheus, Alertmanager and the prober watch it.
    pub observe: bool,
    /// Whether stores are spoken to without TLS, as by releases that know none.
    pub plain_stores: bool,
    /// Whether the console shows it, and collects traces where nobody else does.
    pub console: bool,
}

/// A process reaches another by a port of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detour {
    /// The process that connects.
    pub from: String,
    /// The process that it means to reach.
    pub to: String,
    /// Where it connects instead, on 127.0.0.1.
    pub port: u16,
}

impl Options {
    /// A stack of one's own for tests: empty, on free ports, under
    /// `<root>/.stoa/<name>`, with the binaries of `STOA_BIN_DIR` or else
    /// those beside the running test.
    pub fn private(root: &Path, name: &str) -> Result<Self> {
        let bin_dir = match std::env::var_os("STOA_BIN_DIR") {
            Some(dir) => PathBuf::from(dir),
            // target/debug/deps/<test> → target/debug
            None => std::env::current_exe()?
                .ancestors()
                .nth(2)
                .context("the test binary has no directory")?
                .to_owned(),
        };
        Ok(Self {
            root: root.to_owned(),
            state: root.join(".stoa").join(name),
            ports: Ports::free()?,
            bin_dir,
            seed: false,
            fresh: true,
            // Everybody comes from one address, many at the same moment.
            settings: vec![
                ["identity", "GUESSES_PER_ADDRESS", "1000000"].map(str::to_owned).into(),
                ["identity", "PASSWORD_HASHERS", "2"].map(str::to_owned).into(),
            ],
            detours: Vec::new(),
            replicas: Vec::new(),
            collector: None,
            observe: false,
            plain_stores: false,
            console: false,
        })
    }

    /// A second process of a service, `<service>-2`, on ports of its own. It takes part
    /// in everything but the requests that come through the edge.
    pub fn add_replica(&mut self, service: &str) -> Result<()> {
        let process = format!("{service}-2");
        let grpc = self.ports.another()?;
        self.ports.grpc.insert(process.clone(), grpc);
        let admin = self.ports.another()?;
        self.ports.admin.insert(process.clone(), admin);
        self.replicas.push(process);
        Ok(())
    }

    /// Who collects traces: whoever was named, or else the console.
    pub(crate) fn collected(mut self) -> Self {
        if self.console && self.collector.is_none() {
            self.collector = Some(SocketAddrV4::new(Ipv4Addr::LOCALHOST, self.ports.otlp));
        }
        self
    }

    /// The port by which one process reaches another.
    pub(crate) fn port(&self, from: &str, to: &str) -> u16 {
        let detour = self.detours.iter().find(|detour| detour.from == from && detour.to == to);
        detour.map_or_else(|| self.ports.of(to), |detour| detour.port)
    }
}

/// The service that a process is one of.
pub(crate) fn service_of(process: &str) -> &str {
    process.strip_suffix("-2").unwrap_or(process)
}
