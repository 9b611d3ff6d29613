//! Mutual TLS between workloads, with SPIFFE ids
//! (https://spiffe.io/docs/latest/spiffe-about/spiffe-concepts/).

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rustls_pki_types::CertificateDer;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity, ServerTlsConfig};
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use crate::channel::MeshChannel;

/// Mesh settings.
#[derive(clap::Args, Clone, Debug)]
pub struct MeshConfig {
    /// This workload's certificate chain, PEM.
    #[arg(long, env = "MESH_CERT")]
    pub mesh_cert: PathBuf,
    /// Its private key, PEM.
    #[arg(long, env = "MESH_KEY")]
    pub mesh_key: PathBuf,
    /// The authority that signs every workload's certificate, PEM.
    #[arg(long, env = "MESH_CA")]
    pub mesh_ca: PathBuf,
    /// The trust domain of SPIFFE ids.
    #[arg(long, env = "MESH_TRUST_DOMAIN", default_value = "stoa.local")]
    pub mesh_trust_domain: String,
}

/// This workload's identity and the authority it believes.
#[derive(Clone)]
pub struct Mesh {
    identity: Identity,
    authority: Certificate,
    trust_domain: String,
}

impl Mesh {
    /// Reads certificate, key and authority.
    pub fn load(config: &MeshConfig) -> Result<Self> {
        let certificate = read(&config.mesh_cert, "MESH_CERT")?;
        let key = read(&config.mesh_key, "MESH_KEY")?;
        Ok(Self {
            identity: Identity::from_pem(certificate, key),
            authority: Certificate::from_pem(read(&config.mesh_ca, "MESH_CA")?),
            trust_domain: config.mesh_trust_domain.clone(),
        })
    }

    /// A lazy channel to a workload: it connects at the first call and again
    /// whenever the connection is lost.
    pub fn channel(&self, url: &str, workload: &'static str) -> Result<MeshChannel> {
        let tls = ClientTlsConfig::new()
            .ca_certificate(self.authority.clone())
            .identity(self.identity.clone())
            .domain_name(workload);
        let endpoint = Endpoint::from_shared(url.to_owned())
            .and_then(|e| e.tls_config(tls))
            .with_context(|| format!("{url} is no URL of {workload}"))?
            .connect_timeout(Duration::from_secs(1))
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(5))
            .tcp_nodelay(true);
        Ok(MeshChannel::new(endpoint.connect_lazy(), workload))
    }

    pub(crate) fn server_tls(&self) -> ServerTlsConfig {
        ServerTlsConfig::new()
            .identity(self.identity.clone())
            .client_ca_root(self.authority.clone())
    }

    pub(crate) fn trust_domain(&self) -> &str {
        &self.trust_domain
    }
}

fn read(path: &Path, setting: &str) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {} ({setting})", path.display()))
}

/// The workload in a certificate's SPIFFE id
/// `spiffe://<trust domain>/ns/<namespace>/sa/<workload>`.
pub(crate) fn workload_of(certificate: &CertificateDer<'_>, trust_domain: &str) -> Option<String> {
    let (_, parsed) = parse_x509_certificate(certificate).ok()?;
    let names = parsed.subject_alternative_name().ok()??;
    let mut uris = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    });
    // A certificate with several ids is not a SPIFFE certificate.
    let (uri, None) = (uris.next()?, uris.next()) else { return None };
    let path = uri.strip_prefix("spiffe://")?.strip_prefix(trust_domain)?.strip_prefix("/ns/")?;
    let (_, workload) = path.split_once("/sa/")?;
    (!workload.is_empty() && !workload.contains('/')).then(|| workload.to_owned())
}
