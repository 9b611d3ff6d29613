//! What stores show to those who connect: services talk to them over TLS only.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use time::{Duration, OffsetDateTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::layout::{Layout, write_private};

/// What services call the stores on one machine.
const NAMES: [&str; 2] = ["127.0.0.1", "localhost"];

/// Longer than anybody leaves it running.
const LIFE: Duration = Duration::days(365);

/// A certificate for all stores, made at every start by an authority of its own, whose
/// key nobody keeps: what a store shows is no identity of the mesh.
#[derive(Clone)]
pub(crate) struct StoreTls {
    certificate: String,
    key: String,
    /// PEM of who vouches for it.
    pub(crate) authority: PathBuf,
}

/// PEM of who vouches for the stores; nobody does where they are spoken to without TLS.
pub(crate) fn authority(layout: &Layout) -> Option<PathBuf> {
    Some(authority_file(layout)).filter(|file| file.exists())
}

/// Where it is kept.
pub(crate) fn authority_file(layout: &Layout) -> PathBuf {
    layout.path("pki/stores.pem")
}

fn params(names: &[&str]) -> Result<CertificateParams> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names)?;
    let now = OffsetDateTime::now_utc();
    // A little into the past, for clocks that were set back.
    params.not_before = now - Duration::hours(1);
    params.not_after = now + LIFE;
    params.distinguished_name = rcgen::DistinguishedName::new();
    Ok(params)
}

/// Where a store finds them.
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl StoreTls {
    pub(crate) fn new(layout: &Layout) -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = params(&[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, "Stoa stores");
        let authority = authority_file(layout);
        fs::write(&authority, params.self_signed(&key)?.pem())?;
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate()?;
        let mut params = self::params(&NAMES)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &issuer)?.pem();
        Ok(Self { certificate, key: key.serialize_pem(), authority })
    }

    /// Writes them into a store's own directory.
    pub(crate) fn write(&self, dir: &Path) -> Result<Files> {
        let files = Files { certificate: dir.join("server.crt"), key: dir.join("server.key") };
        fs::write(&files.certificate, &self.certificate)?;
        write_private(&files.key, &self.key)?;
        Ok(files)
    }

    /// Connects to a store and finds out whether it is one.
    pub(crate) async fn connect(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(&self.authority)? {
            roots.add(certificate?)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(NAMES[0])?;
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        connecting.await.context("no TLS")
    }
}
