//! Where every part listens.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};

use anyhow::{Result, anyhow, bail};

use super::SERVICES;

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
    pub(super) grpc: BTreeMap<String, u16>,
    pub(super) admin: BTreeMap<String, u16>,
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
    pub fn another(&self) -> Result<u16> {
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
