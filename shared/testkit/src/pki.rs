//! A certificate authority of one test.

use std::path::Path;

use grpc::MeshConfig;
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
};

/// Signs the certificates of workloads.
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// Writes the certificate of a workload below `dir`.
    pub fn issue(&self, dir: &Path, workload: &str) -> MeshConfig {
        self.issue_as(dir, workload, &format!("spiffe://stoa.local/ns/stoa/sa/{workload}"))
    }

    /// Writes a certificate with any id, for refusals.
    pub fn issue_as(&self, dir: &Path, workload: &str, id: &str) -> MeshConfig {
        let key = KeyPair::generate().expect("a key");
        let name = |text: &str| Ia5String::try_from(text).expect("ASCII");
        let mut params = CertificateParams::new([]).expect("no names");
        params.subject_alt_names = vec![SanType::URI(name(id)), SanType::DnsName(name(workload))];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let write = |suffix: &str, text: &str| {
            let path = dir.join(format!("{workload}-{}.{suffix}", uuid::Uuid::now_v7()));
            std::fs::write(&path, text).expect("the temporary directory takes a file");
            path
        };
        MeshConfig::native(
            write("crt", &certificate.pem()),
            write("key", &key.serialize_pem()),
            write("ca", &self.pem),
        )
    }
}
