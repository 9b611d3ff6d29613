//! What to start, where it keeps its files and on which ports it listens.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};

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

/// Where every part listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports {
    /// HTTP, the door from outside.
    pub edge: u16,
    /// HTTPS, the same door.
    pub edge_tls: u16,
    /// Envoy's own interface.
    pub edge_admin: u16,
    /// PostgreSQL.
    pub postgres: u16,
    /// RabbitMQ, AMQP 0-9-1.
    pub amqp: u16,
    /// RabbitMQ, management HTTP API; used in test stores only.
    pub amqp_api: u16,
    /// RabbitMQ, Erlang distribution.
    pub amqp_dist: u16,
    /// Erlang port mapper.
    pub epmd: u16,
    /// Redis.
    pub redis: u16,
    /// SMTP.
    pub smtp: u16,
    /// The sandbox payment provider, HTTP.
    pub sandbox: u16,
    /// The guard beside the edge, HTTP.
    pub guard: u16,
    /// The pages behind `/docs`, HTTP.
    pub docs: u16,
    /// RabbitMQ's metrics, HTTP; where Prometheus watches.
    pub amqp_metrics: u16,
    /// Prometheus, HTTP.
    pub prometheus: u16,
    /// Alertmanager, HTTP.
    pub alertmanager: u16,
    /// The console's page, HTTP.
    pub console: u16,
    /// Where the console receives traces, OTLP over gRPC.
    pub otlp: u16,
    grpc: BTreeMap<String, u16>,
    admin: BTreeMap<String, u16>,
}

impl Ports {
    /// The ports of `make up`.
    pub fn fixed() -> Self {
        Self {
            edge: 8080,
            edge_tls: 8443,
            edge_admin: 9901,
            postgres: 15432,
            amqp: 15673,
            amqp_api: 15674,
            amqp_dist: 15675,
            epmd: 14369,
            redis: 16379,
            smtp: 11025,
            sandbox: 7201,
            guard: 7202,
            docs: 7203,
            amqp_metrics: 15692,
            prometheus: 9095,
            alertmanager: 9096,
            console: 7300,
            otlp: 4317,
            grpc: named(&SERVICES).zip(7001..).collect(),
            admin: named(&SERVICES)
                .chain(named(&["sandbox", "guard", "docs"]))
                .zip(7101..)
                .chain([("console".to_owned(), 7301), ("prober".to_owned(), 7302)])
                .collect(),
        }
    }

    /// Ports that nobody listens on at the moment.
    pub fn free() -> Result<Self> {
        let mut ports = Self::fixed();
        // All listeners stay open until every port is chosen: so they differ.
        let mut held = Vec::new();
        for port in ports.all_mut() {
            let listener = unused()?;
            *port = listener.local_addr()?.port();
            held.push(listener);
        }
        Ok(ports)
    }

    /// Whether it is one of these.
    pub fn contains(&self, port: u16) -> bool {
        self.clone().all_mut().any(|known| *known == port)
    }

    /// A port that nobody listens on at the moment, and not one of these.
    fn another(&self) -> Result<u16> {
        loop {
            let port = unused()?.local_addr()?.port();
            if !self.contains(port) {
                return Ok(port);
            }
        }
    }

    /// The port by which a process is reached: of a service the gRPC port; 0 for an
    /// unknown one.
    pub fn of(&self, process: &str) -> u16 {
        match process {
            "edge" => self.edge,
            "postgres" => self.postgres,
            "rabbitmq" => self.amqp,
            "redis" => self.redis,
            "smtp" => self.smtp,
            "sandbox" => self.sandbox,
            "guard" => self.guard,
            "docs" => self.docs,
            "prometheus" => self.prometheus,
            "alertmanager" => self.alertmanager,
            "console" => self.console,
            service => self.grpc(service),
        }
    }

    /// The gRPC port of a service; 0 for an unknown one.
    pub fn grpc(&self, service: &str) -> u16 {
        self.grpc.get(service).copied().unwrap_or_default()
    }

    /// The port of a service's, or the sandbox's, `/metrics`, `/livez` and
    /// `/readyz`; 0 for an unknown one.
    pub fn admin(&self, service: &str) -> u16 {
        self.admin.get(service).copied().unwrap_or_default()
    }

    /// Fails naming the ports that other programs listen on.
    pub(crate) fn check_free(&self) -> Result<()> {
        let mut ports = self.clone();
        let taken: Vec<String> = ports
            .all_mut()
            .filter(|port| {
                TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, **port)).is_err()
            })
            .map(|port| port.to_string())
            .collect();
        if !taken.is_empty() {
            bail!("another program listens on 127.0.0.1, port {}", taken.join(", "));
        }
        Ok(())
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut u16> {
        [
            &mut self.edge,
            &mut self.edge_tls,
            &mut self.edge_admin,
            &mut self.postgres,
            &mut self.amqp,
            &mut self.amqp_api,
            &mut self.amqp_dist,
            &mut self.epmd,
            &mut self.redis,
            &mut self.smtp,
            &mut self.sandbox,
            &mut self.guard,
            &mut self.docs,
            &mut self.amqp_metrics,
            &mut self.prometheus,
            &mut self.alertmanager,
            &mut self.console,
            &mut self.otlp,
        ]
        .into_iter()
        .chain(self.grpc.values_mut())
        .chain(self.admin.values_mut())
    }
}

/// Listens where nobody else does, below the ports that the kernel gives to
/// connections (32768 and up): while a process is down, somebody who tries to reach
/// it could be given its port, connect to himself and keep it from coming back.
fn unused() -> Result<TcpListener> {
    let mut last = None;
    for _ in 0..1_000 {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, rand::random_range(20_000..32_000))) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(|| anyhow!("no port is free"), Into::into))
}

fn named(processes: &[&str]) -> impl Iterator<Item = String> {
    processes.iter().map(|process| (*process).to_owned())
}

/// The service that a process is one of.
pub(crate) fn service_of(process: &str) -> &str {
    process.strip_suffix("-2").unwrap_or(process)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn free_ports_are_distinct_and_free() {
        let mut ports = Ports::free().unwrap();
        let all: Vec<u16> = ports.all_mut().map(|port| *port).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        ports.check_free().unwrap();
    }

    #[test]
    fn fixed_ports_are_distinct() {
        let mut ports = Ports::fixed();
        let all: Vec<u16> = ports.all_mut().map(|port| *port).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert_eq!((ports.grpc("identity"), ports.admin("notifications")), (7001, 7107));
    }

    #[test]
    fn a_taken_port_is_named() {
        let mut ports = Ports::free().unwrap();
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        ports.redis = holder.local_addr().unwrap().port();
        let error = ports.check_free().unwrap_err().to_string();
        assert!(error.contains(&ports.redis.to_string()), "{error}");
    }
}
