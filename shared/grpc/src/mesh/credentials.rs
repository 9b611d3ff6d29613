//! A workload's certificate, key and authorities, as TLS needs them.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig, client::Resumption, version::TLS13};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use time::OffsetDateTime;
use x509_parser::parse_x509_certificate;

use super::spiffe::Domain;
use super::verify::ByWorkload;

/// Where they are, and which setting says so.
pub(super) struct Files {
    pub(super) certificate: (PathBuf, &'static str),
    pub(super) key: (PathBuf, &'static str),
    pub(super) authorities: (PathBuf, &'static str),
}

/// What the files hold, PEM.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pems {
    certificate: Vec<u8>,
    key: Vec<u8>,
    authorities: Vec<u8>,
}

impl Files {
    pub(super) fn read(&self) -> Result<Pems> {
        let read = |(path, setting): &(PathBuf, &'static str)| {
            std::fs::read(path)
                .with_context(|| format!("cannot read {} ({setting})", path.display()))
        };
        Ok(Pems {
            certificate: read(&self.certificate)?,
            key: read(&self.key)?,
            authorities: read(&self.authorities)?,
        })
    }
}

/// What TLS needs at both ends of a connection.
pub(super) struct Credentials {
    pub(super) server: Arc<ServerConfig>,
    pub(super) client: Arc<ClientConfig>,
    /// The certificate's first and last second, since 1970.
    pub(super) life: (i64, i64),
}

const ALPN: &[u8] = b"h2";

impl Credentials {
    /// Fails where a connection could not be made or accepted with these: broken, not
    /// belonging together, run out, or of no workload of ours.
    pub(super) fn new(pems: &Pems, domain: &Arc<Domain>) -> Result<Self> {
        let chain = certificates(&pems.certificate).context("the certificate (MESH_CERT)")?;
        let key = PrivateKeyDer::from_pem_slice(&pems.key);
        let key = key.map_err(|error| anyhow!("the key (MESH_KEY): {error}"))?;
        let roots = Arc::new(roots(&pems.authorities).context("the authorities (MESH_CA)")?);
        let life = own_life(&chain[0], domain).context("the certificate (MESH_CERT)")?;
        let provider = Arc::new(ring::default_provider());
        let server = server(chain.clone(), key.clone_key(), &roots, &provider)?;
        let client = client(chain, key, ByWorkload::new(roots, domain, &provider), provider)?;
        Ok(Self { server: Arc::new(server), client: Arc::new(client), life })
    }
}

/// TLS 1.3 alone, and no tickets: a resumed connection would show no certificate, and
/// whoever is not believed any more would go on.
fn server(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    roots: &Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> Result<ServerConfig> {
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(provider));
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier.build()?)
        .with_single_cert(chain, key)
        .context("certificate and key (MESH_CERT, MESH_KEY)")?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn client(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    verifier: ByWorkload,
    provider: Arc<CryptoProvider>,
) -> Result<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        // Not less than rustls checks: by SPIFFE id in place of the host's name.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_auth_cert(chain, key)
        .context("certificate and key (MESH_CERT, MESH_KEY)")?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// All of them: one that is broken may be half of a file.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| anyhow!("{error}"))?;
    ensure!(!found.is_empty(), "there is none in the file");
    Ok(found)
}

fn roots(pem: &[u8]) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(pem)? {
        roots.add(authority)?;
    }
    Ok(roots)
}

fn own_life(leaf: &CertificateDer<'_>, domain: &Domain) -> Result<(i64, i64)> {
    domain.peer_of(leaf).map_err(|why| anyhow!(why))?;
    let (_, parsed) = parse_x509_certificate(leaf)?;
    let validity = parsed.validity();
    let (begin, end) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    ensure!(end > OffsetDateTime::now_utc().unix_timestamp(), "it has expired");
    Ok((begin, end))
}
