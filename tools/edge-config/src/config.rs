//! Settings, from the environment or the command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

/// Writes what the edge's Envoy starts with.
#[derive(clap::Parser, Clone, Debug)]
#[command(version, about)]
pub struct Config {
    /// The generated configuration.
    #[arg(long, env = "TEMPLATE", default_value = "/usr/share/stoa/edge.yaml")]
    pub template: PathBuf,
    /// The generated description of the API, for the transcoder.
    #[arg(long, env = "DESCRIPTOR", default_value = "/usr/share/stoa/descriptor.binpb")]
    pub descriptor: PathBuf,
    /// Who does TLS towards the services: the edge itself, or its sidecar.
    #[arg(long, env = "MESH_TLS", value_enum, default_value_t)]
    pub mesh_tls: MeshTls,
    /// With `native`: where `edge.pem`, `edge.key`, `ca.pem` and, for people, `tls.pem` and
    /// `tls.key` are.
    #[arg(long, env = "PKI_DIRECTORY", default_value = "/run/stoa/pki")]
    pub pki_directory: PathBuf,
    /// With `native`: where the edge listens for HTTPS.
    #[arg(long, env = "EDGE_TLS_PORT", default_value_t = 8443)]
    pub edge_tls_port: u16,
    /// Where to write; Envoy sees the same directory at the same place.
    #[arg(long, env = "DIRECTORY", default_value = "/etc/envoy")]
    pub directory: PathBuf,
    /// The services, in the order of the contract.
    #[arg(long, env = "SERVICES", value_delimiter = ',')]
    pub services: Vec<String>,
    /// What follows a service's name in its host; may be empty.
    #[arg(long, env = "SERVICES_DOMAIN", default_value = "stoa.svc.cluster.local")]
    pub services_domain: String,
    /// Every service's port.
    #[arg(long, env = "SERVICES_PORT", default_value_t = 8080)]
    pub services_port: u16,
    /// Where the edge listens, in plain HTTP behind its sidecar.
    #[arg(long, env = "EDGE_PORT", default_value_t = 8080)]
    pub edge_port: u16,
    /// Where it shows metrics and whether it is ready.
    #[arg(long, env = "EDGE_METRICS_PORT", default_value_t = 9090)]
    pub edge_metrics_port: u16,
    /// Envoy's own interface, on 127.0.0.1 only.
    #[arg(long, env = "EDGE_ADMIN_PORT", default_value_t = 9901)]
    pub edge_admin_port: u16,
    /// How many proxies before the edge add to `x-forwarded-for`: the gateway.
    #[arg(long, env = "TRUSTED_HOPS", default_value_t = 1)]
    pub trusted_hops: u32,
    /// Where the guard is: beside the edge, so that nobody else reaches it.
    #[arg(long, env = "GUARD_HOST", default_value = "127.0.0.1")]
    pub guard_host: String,
    /// Its port.
    #[arg(long, env = "GUARD_PORT", default_value_t = 8091)]
    pub guard_port: u16,
    /// Where the pages under `/docs` are served.
    #[arg(long, env = "DOCS_HOST", default_value = "127.0.0.1")]
    pub docs_host: String,
    /// Their port.
    #[arg(long, env = "DOCS_PORT", default_value_t = 8092)]
    pub docs_port: u16,
    /// What a token must say, as the services know it.
    #[arg(long, env = "JWT_ISSUER", default_value = "https://stoa.local")]
    pub jwt_issuer: String,
    /// For whom a token must be.
    #[arg(long, env = "JWT_AUDIENCE", default_value = "stoa")]
    pub jwt_audience: String,
    /// How long the keys of tokens are kept; shorter than KEY_LEAD_SECONDS of identity.
    #[arg(long, env = "JWKS_CACHE_SECONDS", default_value_t = 300)]
    pub jwks_cache_seconds: u32,
    /// Origins of pages that may call, matched as a whole; dots as `[.]`.
    #[arg(long, env = "CORS_ORIGIN_REGEX")]
    pub cors_origin_regex: String,
    /// Where traces go, by OTLP over gRPC.
    #[arg(
        long,
        env = "TRACES_HOST",
        default_value = "otel-collector.observability.svc.cluster.local"
    )]
    pub traces_host: String,
    /// Its port.
    #[arg(long, env = "TRACES_PORT", default_value_t = 4317)]
    pub traces_port: u16,
    /// How many of a hundred requests are traced that nobody else decided about.
    #[arg(long, env = "TRACE_PERCENT", default_value_t = 1.0)]
    pub trace_percent: f64,
    /// Where a line for every request goes.
    #[arg(long, env = "ACCESS_LOG", default_value = "/dev/stdout")]
    pub access_log: String,
}

/// Who does TLS between workloads.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MeshTls {
    /// The edge itself, with files.
    Native,
    /// Istio's sidecars.
    #[default]
    Istio,
}

impl Config {
    /// The host of a service.
    pub(crate) fn host(&self, service: &str) -> String {
        match self.services_domain.as_str() {
            "" => service.to_owned(),
            domain => format!("{service}.{domain}"),
        }
    }

    /// What stands for the template's placeholders.
    pub(crate) fn values(&self, descriptor: &Path) -> Result<BTreeMap<String, String>> {
        ensure!(!self.services.is_empty(), "SERVICES is empty");
        // Of the single quotes that surround it.
        ensure!(!self.cors_origin_regex.contains('\''), "CORS_ORIGIN_REGEX has a single quote");
        let pki = |file: &str| self.pki_directory.join(file).display().to_string();
        let mut values: BTreeMap<String, String> = [
            ("EDGE_ADDRESS", "0.0.0.0".to_owned()),
            ("EDGE_PORT", self.edge_port.to_string()),
            // Behind a sidecar the parts with these are taken out.
            ("EDGE_TLS_PORT", self.edge_tls_port.to_string()),
            ("CERTIFICATES", self.directory.display().to_string()),
            ("EDGE_CERT", pki("tls.pem")),
            ("EDGE_KEY", pki("tls.key")),
            ("EDGE_CERT_DIR", pki("")),
            ("MESH_CERT", pki("edge.pem")),
            ("MESH_KEY", pki("edge.key")),
            ("MESH_CA", pki("ca.pem")),
            ("MESH_DIR", pki("")),
            ("TRUSTED_HOPS", self.trusted_hops.to_string()),
            ("EDGE_ADMIN_PORT", self.edge_admin_port.to_string()),
            ("GUARD_HOST", self.guard_host.clone()),
            ("GUARD_PORT", self.guard_port.to_string()),
            ("DOCS_HOST", self.docs_host.clone()),
            ("DOCS_PORT", self.docs_port.to_string()),
            ("JWT_ISSUER", self.jwt_issuer.clone()),
            ("JWT_AUDIENCE", self.jwt_audience.clone()),
            ("JWKS_CACHE_SECONDS", self.jwks_cache_seconds.to_string()),
            ("DESCRIPTOR", descriptor.display().to_string()),
            ("CORS_ORIGIN_REGEX", self.cors_origin_regex.clone()),
            ("TRACES_HOST", self.traces_host.clone()),
            ("TRACES_PORT", self.traces_port.to_string()),
            ("TRACE_PERCENT", self.trace_percent.to_string()),
            ("ACCESS_LOG", self.access_log.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        for service in &self.services {
            let name = service.to_uppercase();
            values.insert(format!("{name}_HOST"), self.host(service));
            values.insert(format!("{name}_PORT"), self.services_port.to_string());
        }
        Ok(values)
    }
}
