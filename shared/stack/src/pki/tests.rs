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
    for authority in CertificateDer::pem_file_iter(pki.authority()).unwrap() {
        roots.add(authority.unwrap()).unwrap();
    }
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
    let keys = WORKLOADS.into_iter().chain(["ca"]).map(|name| pki.key(name));
    let authorities = fs::read_dir(dir.path().join("authorities")).unwrap();
    for path in keys.chain(authorities.map(|entry| entry.unwrap().path())) {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
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
    believes(&roots(pki), &pem(pki, "edge"), OffsetDateTime::now_utc()).unwrap();
}

fn pem(pki: &Pki, workload: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(pki.certificate(workload)).unwrap()
}

fn believes(
    roots: &Arc<rustls::RootCertStore>,
    leaf: &CertificateDer<'_>,
    now: OffsetDateTime,
) -> Result<(), rustls::Error> {
    let provider = Arc::new(default_provider());
    let client = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider);
    let now = std::time::Duration::from_secs(now.unix_timestamp().try_into().unwrap());
    let now = UnixTime::since_unix_epoch(now);
    client.build().unwrap().verify_client_cert(leaf, &[], now).map(drop)
}

#[test]
fn leaves_are_renewed_when_half_of_their_life_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::renew(dir.path()).unwrap();
    let (now, first) = (OffsetDateTime::now_utc(), pem(&pki, "cart"));
    pki.tend(now + LEAF_LIFE / 2 - Duration::minutes(1)).unwrap();
    assert_eq!(pem(&pki, "cart"), first);
    let later = now + LEAF_LIFE / 2 + Duration::minutes(1);
    pki.tend(later).unwrap();
    assert_ne!(pem(&pki, "cart"), first);
    believes(&roots(&pki), &pem(&pki, "cart"), later + LEAF_LIFE - Duration::minutes(1)).unwrap();
    fs::write(pki.certificate("cart"), "broken").unwrap();
    pki.tend(later).unwrap();
    believes(&roots(&pki), &pem(&pki, "cart"), later).unwrap();
}

/// Who has read the files at one look, and who reads them at the next, believe each
/// other, for as long as the platform runs.
#[test]
fn authorities_take_over_from_each_other_and_nobody_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::renew(dir.path()).unwrap();
    let begin = OffsetDateTime::now_utc();
    let mut signers = std::collections::BTreeSet::new();
    let mut late = (roots(&pki), pem(&pki, "orders"));
    for step in 0..50 * 8 {
        let now = begin + Duration::hours(3) * step;
        for minute in [0, 1, 6] {
            let now = now + Duration::minutes(minute);
            pki.tend(now).unwrap();
            let newest = (roots(&pki), pem(&pki, "orders"));
            believes(&late.0, &newest.1, now).unwrap();
            believes(&newest.0, &late.1, now).unwrap();
            late = newest;
        }
        signers.insert(fs::read_to_string(pki.key("ca")).unwrap());
        assert!((1..=6).contains(&roots(&pki).len()), "{} authorities", roots(&pki).len());
    }
    assert_eq!(signers.len(), 8, "a new one every week");
}

#[test]
fn an_authority_before_its_time_is_believed_first_and_then_signs_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::renew(dir.path()).unwrap();
    let (old, now) = (pem(&pki, "edge"), OffsetDateTime::now_utc() + Duration::seconds(2));
    pki.announce(now).unwrap();
    assert_eq!(roots(&pki).len(), 2);
    assert_eq!(pem(&pki, "edge"), old, "the old one signs");
    pki.switch(now).unwrap();
    let new = pem(&pki, "edge");
    assert_ne!(new, old);
    pki.tend(now + Duration::seconds(60)).unwrap();
    assert_eq!(pem(&pki, "edge"), new, "it goes on signing");
}

#[test]
fn a_start_after_a_week_brings_a_new_authority_beside_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::renew(dir.path()).unwrap();
    let old = (roots(&pki), pem(&pki, "tools"));
    let authorities = dir.path().join("authorities");
    let born = |path: &Path| path.file_stem().unwrap().to_str().unwrap().parse::<i64>().unwrap();
    for entry in fs::read_dir(&authorities).unwrap() {
        let path = entry.unwrap().path();
        let older = born(&path) - SIGNS.whole_seconds();
        let extension = path.extension().unwrap().to_str().unwrap();
        fs::rename(&path, authorities.join(format!("{older}.{extension}"))).unwrap();
    }
    let pki = Pki::renew(dir.path()).unwrap();
    let now = OffsetDateTime::now_utc();
    assert_eq!(roots(&pki).len(), 2);
    believes(&roots(&pki), &old.1, now).unwrap();
    believes(&roots(&pki), &pem(&pki, "tools"), now).unwrap();
    believes(&old.0, &pem(&pki, "tools"), now).unwrap_err();
}

#[test]
fn an_authority_that_was_away_for_long_is_replaced_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::renew(dir.path()).unwrap();
    let later = OffsetDateTime::now_utc() + Duration::days(365);
    pki.tend(later).unwrap();
    assert_eq!(roots(&pki).len(), 1);
    believes(&roots(&pki), &pem(&pki, "orders"), later).unwrap();
    let left = fs::read_dir(dir.path().join("authorities")).unwrap().count();
    assert_eq!(left, 2, "one certificate and its key");
}
