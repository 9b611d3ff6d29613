//! Who is who among workloads: SPIFFE ids
//! (https://spiffe.io/docs/latest/spiffe-about/spiffe-concepts/), proven by mutual TLS
//! of our own or by Istio's.

mod accept;
mod connect;
mod credentials;
mod forwarded;
mod refresh;
mod spiffe;
mod verify;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use http::Uri;
use tokio::sync::watch;
use tonic::transport::Endpoint;

use self::credentials::{Credentials, Files};
use crate::channel::MeshChannel;

pub(crate) use self::accept::{Arrival, Proof, incoming};
pub(crate) use self::forwarded::peer as forwarded_peer;
pub(crate) use self::spiffe::{Domain, Stranger};

/// Mesh settings.
#[derive(clap::Args, Clone, Debug)]
pub struct MeshConfig {
    /// Who proves which workload is at the other end of a connection.
    #[arg(long, env = "MESH_TLS", value_enum, default_value_t)]
    pub mesh_tls: MeshTls,
    /// This workload's certificate chain, PEM. It and the next two are needed with
    /// `native`, and may be replaced at any time.
    #[arg(long, env = "MESH_CERT")]
    pub mesh_cert: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long, env = "MESH_KEY")]
    pub mesh_key: Option<PathBuf>,
    /// The authorities that sign workloads' certificates, PEM; several while one takes
    /// over from another.
    #[arg(long, env = "MESH_CA")]
    pub mesh_ca: Option<PathBuf>,
    /// The trust domain of SPIFFE ids.
    #[arg(long, env = "MESH_TRUST_DOMAIN", default_value = TRUST_DOMAIN)]
    pub mesh_trust_domain: String,
    /// The namespace in SPIFFE ids: a workload of another is a stranger.
    #[arg(long, env = "MESH_NAMESPACE", default_value = NAMESPACE)]
    pub mesh_namespace: String,
    /// How often the files are looked at, in milliseconds.
    #[arg(long, env = "MESH_REFRESH_MS", default_value_t = REFRESH_MS,
        value_parser = clap::value_parser!(u64).range(1..))]
    pub mesh_refresh_ms: u64,
    /// The age, in seconds, at which a connection is replaced by a new one, without
    /// loss of a request: so long may who proved to be somebody count as it. Much
    /// shorter than certificates live.
    #[arg(long, env = "MESH_CONNECTION_SECONDS", default_value_t = CONNECTION_SECONDS,
        value_parser = clap::value_parser!(u64).range(1..))]
    pub mesh_connection_seconds: u64,
}

const TRUST_DOMAIN: &str = "stoa.local";
const NAMESPACE: &str = "stoa";
const REFRESH_MS: u64 = 2_000;
const CONNECTION_SECONDS: u64 = 900;

/// Who does TLS between workloads.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MeshTls {
    /// We ourselves: a connection proves by its certificate who is at its other end.
    #[default]
    Native,
    /// The sidecars of Istio: we speak plain HTTP/2 to ours and believe its
    /// `x-forwarded-client-cert`, and nobody else's.
    Istio,
}

impl MeshConfig {
    /// TLS of our own with these files, all else as by default.
    pub fn native(
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
        authorities: impl Into<PathBuf>,
    ) -> Self {
        Self {
            mesh_tls: MeshTls::Native,
            mesh_cert: Some(certificate.into()),
            mesh_key: Some(key.into()),
            mesh_ca: Some(authorities.into()),
            mesh_trust_domain: TRUST_DOMAIN.to_owned(),
            mesh_namespace: NAMESPACE.to_owned(),
            mesh_refresh_ms: REFRESH_MS,
            mesh_connection_seconds: CONNECTION_SECONDS,
        }
    }

    fn files(&self) -> Result<Files> {
        let set = |path: &Option<PathBuf>, name: &'static str| match path {
            Some(path) => Ok((path.clone(), name)),
            None => bail!("{name} is not set; MESH_TLS=native needs it"),
        };
        Ok(Files {
            certificate: set(&self.mesh_cert, "MESH_CERT")?,
            key: set(&self.mesh_key, "MESH_KEY")?,
            authorities: set(&self.mesh_ca, "MESH_CA")?,
        })
    }
}

/// This workload's place in the mesh.
#[derive(Clone)]
pub struct Mesh {
    /// What TLS needs, always the newest; none where the sidecar does TLS.
    credentials: Option<watch::Receiver<Arc<Credentials>>>,
    domain: Arc<Domain>,
    connection_age: Duration,
}

impl Mesh {
    /// Reads certificate, key and authorities, and follows their changes from then on.
    pub fn load(config: &MeshConfig) -> Result<Self> {
        let domain = Arc::new(Domain::new(&config.mesh_trust_domain, &config.mesh_namespace));
        let credentials = match config.mesh_tls {
            MeshTls::Istio => None,
            MeshTls::Native => {
                let every = Duration::from_millis(config.mesh_refresh_ms);
                Some(refresh::follow(config.files()?, Arc::clone(&domain), every)?)
            }
        };
        let connection_age = Duration::from_secs(config.mesh_connection_seconds);
        Ok(Self { credentials, domain, connection_age })
    }

    /// A lazy channel to a workload: it connects at the first call and again
    /// whenever the connection is lost.
    pub fn channel(&self, url: &str, workload: &'static str) -> Result<MeshChannel> {
        let wrong = || format!("{url} is no URL of {workload}");
        let uri: Uri = url.parse().with_context(wrong)?;
        let scheme = if self.credentials.is_some() { "https" } else { "http" };
        if uri.scheme_str() != Some(scheme) {
            bail!("{}: with this MESH_TLS it begins with {scheme}://", wrong());
        }
        let channel = match &self.credentials {
            None => endpoint(uri).connect_lazy(),
            // The connector does TLS. tonic, which knows nothing of it, would refuse
            // the scheme; requests keep theirs.
            Some(credentials) => {
                let authority = uri.authority().with_context(wrong)?.as_str();
                let plain = format!("http://{authority}").parse().with_context(wrong)?;
                let connector = connect::connector(credentials.clone(), workload);
                endpoint(plain).origin(uri).connect_with_connector_lazy(connector)
            }
        };
        Ok(MeshChannel::new(channel, workload))
    }

    /// The newest of what TLS needs; none where the sidecar does TLS.
    fn current(&self) -> Option<Arc<Credentials>> {
        self.credentials.as_ref().map(|newest| Arc::clone(&newest.borrow()))
    }

    pub(crate) fn domain(&self) -> Arc<Domain> {
        Arc::clone(&self.domain)
    }

    pub(crate) fn connection_age(&self) -> Duration {
        self.connection_age
    }
}

fn endpoint(uri: Uri) -> Endpoint {
    Endpoint::from(uri)
        .connect_timeout(Duration::from_secs(1))
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(5))
        .tcp_nodelay(true)
}
