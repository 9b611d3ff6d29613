//! The development certificate authority and the workloads' certificates.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};
use x509_parser::pem::parse_x509_pem;

use crate::layout::write_private;

/// Whoever may take part in the mesh; `tools` is for people with grpcurl.
pub(crate) const WORKLOADS: [&str; 9] = [
    "identity",
    "catalog",
    "inventory",
    "cart",
    "orders",
    "payments",
    "notifications",
    "edge",
    "tools",
];
/// The SPIFFE trust domain of one machine.
pub(crate) const TRUST_DOMAIN: &str = "stoa.local";

const CA_LIFE: Duration = Duration::days(3650);
const LEAF_LIFE: Duration = Duration::days(90);

/// The files of the mesh's certificates.
#[derive(Debug, Clone)]
pub(crate) struct Pki {
    dir: PathBuf,
}

impl Pki {
    /// Keeps the authority in `dir` while it outlives a new leaf, else makes
    /// one; gives every workload a new certificate.
    pub(crate) fn renew(dir: &Path) -> Result<Self> {
        let pki = Self { dir: dir.to_owned() };
        let authority = match pki.kept_authority() {
            Some(authority) => authority,
            None => pki.new_authority()?,
        };
        for workload in WORKLOADS {
            let key = KeyPair::generate()?;
            let certificate = leaf(workload)?.signed_by(&key, &authority)?;
            write_private(&pki.key(workload), &key.serialize_pem())?;
            fs::write(pki.certificate(workload), certificate.pem())?;
        }
        Ok(pki)
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    pub(crate) fn certificate(&self, workload: &str) -> PathBuf {
        self.dir.join(format!("{workload}.pem"))
    }

    pub(crate) fn key(&self, workload: &str) -> PathBuf {
        self.dir.join(format!("{workload}.key"))
    }

    /// A new certificate and its key, PEM, for a server that people reach by these
    /// names: it names no workload, so the mesh does not believe it.
    pub(crate) fn server(&self, names: &[&str]) -> Result<(String, String)> {
        let authority = self.kept_authority().context("there is no authority")?;
        let key = KeyPair::generate()?;
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = valid_for(CertificateParams::new(names)?, LEAF_LIFE);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        Ok((params.signed_by(&key, &authority)?.pem(), key.serialize_pem()))
    }

    /// None when there is no authority, or none that can still be used.
    fn kept_authority(&self) -> Option<Issuer<'static, KeyPair>> {
        let certificate = fs::read_to_string(self.authority()).ok()?;
        let key = KeyPair::from_pem(&fs::read_to_string(self.key("ca")).ok()?).ok()?;
        let (_, pem) = parse_x509_pem(certificate.as_bytes()).ok()?;
        let end = pem.parse_x509().ok()?.validity().not_after.timestamp();
        if end < (OffsetDateTime::now_utc() + LEAF_LIFE).unix_timestamp() {
            return None;
        }
        Issuer::from_ca_cert_pem(&certificate, key).ok()
    }

    fn new_authority(&self) -> Result<Issuer<'static, KeyPair>> {
        let key = KeyPair::generate()?;
        let mut params = valid_for(CertificateParams::default(), CA_LIFE);
        params.distinguished_name.push(DnType::CommonName, "Stoa development CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        write_private(&self.key("ca"), &key.serialize_pem())?;
        fs::write(self.authority(), certificate.pem())?;
        Ok(Issuer::new(params, key))
    }
}

/// Servers are known by their DNS name, clients by their SPIFFE id.
fn leaf(workload: &str) -> Result<CertificateParams> {
    let mut params = valid_for(CertificateParams::new([workload.to_owned()])?, LEAF_LIFE);
    let spiffe = format!("spiffe://{TRUST_DOMAIN}/ns/stoa/sa/{workload}");
    params.subject_alt_names.push(SanType::URI(spiffe.try_into()?));
    params.distinguished_name.push(DnType::CommonName, workload);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn valid_for(mut params: CertificateParams, life: Duration) -> CertificateParams {
    // A little into the past, for clocks that were set back.
    params.not_before = OffsetDateTime::now_utc() - Duration::hours(1);
    params.not_after = OffsetDateTime::now_utc() + life;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
}

#[cfg(test)]
mod tests;
