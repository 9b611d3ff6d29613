//! Certificates, good and wrong in one way each, in files that change.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use grpc::MeshConfig;
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    SanType, date_time_ymd,
};
use rustls::crypto::ring::default_provider;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

/// Signs certificates.
pub struct Authority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, PEM.
#[derive(Clone)]
pub struct Leaf {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate of a workload of ours.
    pub fn leaf(&self, workload: &str) -> Leaf {
        self.leaf_of(workload, &[&id(workload)])
    }

    /// A certificate for a host called `name` with any ids.
    pub fn leaf_of(&self, name: &str, ids: &[&str]) -> Leaf {
        self.sign(&params(name, ids))
    }

    /// A certificate that was good until 2020.
    pub fn expired(&self, workload: &str) -> Leaf {
        let mut params = params(workload, &[&id(workload)]);
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Leaf {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Leaf { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

pub fn id(workload: &str) -> String {
    format!("spiffe://stoa.local/ns/stoa/sa/{workload}")
}

fn params(name: &str, ids: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    let ids = ids.iter().map(|id| SanType::URI(Ia5String::try_from(*id).unwrap()));
    params.subject_alt_names.extend(ids);
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params
}

/// The files of one workload.
pub struct Files(TempDir);

impl Files {
    pub fn new(leaf: &Leaf, authorities: &[&Authority]) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.put(leaf);
        files.believe(authorities);
        files
    }

    /// Replaces certificate and key.
    pub fn put(&self, leaf: &Leaf) {
        self.write("crt", &leaf.certificate);
        self.write("key", &leaf.key);
    }

    /// Replaces the authorities.
    pub fn believe(&self, authorities: &[&Authority]) {
        self.write("ca", &authorities.iter().map(|a| a.pem.as_str()).collect::<String>());
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.dir().join(name), text).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.dir().join(name)).unwrap();
    }

    fn dir(&self) -> &Path {
        self.0.path()
    }

    /// Looked at often, and connections that live for a second.
    pub fn config(&self) -> MeshConfig {
        let file = |name| self.dir().join(name);
        let config = MeshConfig::native(file("crt"), file("key"), file("ca"));
        MeshConfig { mesh_refresh_ms: 20, mesh_connection_seconds: 1, ..config }
    }
}

/// A client of TLS that believes an authority and shows a certificate or none.
pub fn tls(believed: &Authority, leaf: Option<&Leaf>) -> Arc<ClientConfig> {
    client(believed, leaf, &[&TLS13])
}

/// One that speaks no newer version.
pub fn tls_1_2(believed: &Authority, leaf: &Leaf) -> Arc<ClientConfig> {
    client(believed, Some(leaf), &[&TLS12])
}

fn client(
    believed: &Authority,
    leaf: Option<&Leaf>,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(der(&believed.pem)).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match leaf {
        None => builder.with_no_client_auth(),
        Some(leaf) => {
            let key = PrivateKeyDer::from_pem_slice(leaf.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![der(&leaf.certificate)], key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}
