//! Certificates as a TLS peer sees them.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::ring::default_provider;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::extensions::GeneralName;

use super::*;

fn roots(pki: &Pki) -> Arc<rustls::RootCertStore> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(pki.authority()).unwrap()).unwrap();
    Arc::new(roots)
}

#[test]
fn a_leaf_is_trusted_as_server_and_as_client() {
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::renew(dir.path()).unwrap();
    let leaf = CertificateDer::from_pem_file(pki.certificate("orders")).unwrap();
    let provider = Arc::new(default_provider());
    let server =
        WebPkiServerVerifier::builder_with_provider(roots(&pki), provider.clone()).build().unwrap();
    let verify = |name: &'static str| {
        let name = ServerName::try_from(name).unwrap();
        server.verify_server_cert(&leaf, &[], &name, &[], UnixTime::now())
    };
    verify("orders").unwrap();
    verify("payments").unwrap_err();
    let client =
        WebPkiClientVerifier::builder_with_provider(roots(&pki), provider).build().unwrap();
    client.verify_client_cert(&leaf, &[], UnixTime::now()).unwrap();
}

#[test]
fn a_leaf_names_its_workload() {
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::renew(dir.path()).unwrap();
    let leaf = CertificateDer::from_pem_file(pki.certificate("cart")).unwrap();
    let (_, parsed) = x509_parser::parse_x509_certificate(&leaf).unwrap();
    let names = &parsed.subject_alternative_name().unwrap().unwrap().value.general_names;
    let spiffe = GeneralName::URI("spiffe://stoa.local/ns/stoa/sa/cart");
    assert_eq!(names, &vec![GeneralName::DNSName("cart"), spiffe]);
}

#[test]
fn keys_are_private() {
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::renew(dir.path()).unwrap();
    for name in WORKLOADS.into_iter().chain(["ca"]) {
        let mode = fs::metadata(pki.key(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn the_authority_stays_and_leaves_are_renewed() {
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::renew(dir.path()).unwrap();
    let read = |path: PathBuf| fs::read_to_string(path).unwrap();
    let before = (read(pki.authority()), read(pki.certificate("edge")));
    let again = Pki::renew(dir.path()).unwrap();
    assert_eq!(read(again.authority()), before.0);
    assert_ne!(read(again.certificate("edge")), before.1);
    // Signed by the kept authority, not by another of the same name.
    a_leaf_verifies(&again);
}

fn a_leaf_verifies(pki: &Pki) {
    let leaf = CertificateDer::from_pem_file(pki.certificate("edge")).unwrap();
    let provider = Arc::new(default_provider());
    let client = WebPkiClientVerifier::builder_with_provider(roots(pki), provider).build().unwrap();
    client.verify_client_cert(&leaf, &[], UnixTime::now()).unwrap();
}
