//! The development certificate authority and the workloads' certificates: short-lived,
//! and renewed while the platform runs.

mod authorities;
mod keeper;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};
use x509_parser::pem::parse_x509_pem;

use self::authorities::{Authorities, Authority};
use crate::layout::{Layout, write_private};

pub(crate) use self::keeper::Keeper;
pub use self::keeper::keep as keep_certificates;

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

/// Of a workload's certificate; a new one is there when half of it is over.
const LEAF_LIFE: Duration = Duration::hours(24);
/// Of a certificate for people, who come back after days; made at every start.
const SERVER_LIFE: Duration = Duration::days(30);
/// So long an authority signs until the next is made.
const SIGNS: Duration = Duration::days(7);
/// An authority is believed for so long before it signs, while others run: until
/// everybody has read the file.
const NOTICE: Duration = Duration::minutes(5);

/// The files of the mesh's certificates.
#[derive(Debug, Clone)]
pub(crate) struct Pki {
    dir: PathBuf,
}

impl Pki {
    /// Before anybody runs: gives every workload a new certificate, of a new authority
    /// where the one in `dir` has signed long enough.
    pub(crate) fn renew(dir: &Path) -> Result<Self> {
        let pki = Self { dir: dir.to_owned() };
        let now = OffsetDateTime::now_utc();
        let signer = pki.authorities(now, Duration::ZERO)?;
        WORKLOADS.iter().try_for_each(|workload| pki.issue(workload, &signer, now))?;
        Ok(pki)
    }

    /// Those that were made before.
    pub(crate) fn of(layout: &Layout) -> Self {
        Self { dir: layout.path("pki") }
    }

    /// While they run: renews what is due, in an order in which nobody is refused.
    pub(crate) fn tend(&self, now: OffsetDateTime) -> Result<()> {
        self.renew_due(now, NOTICE)
    }

    /// Makes an authority before its time; it is believed, and does not sign yet.
    pub(crate) fn announce(&self, now: OffsetDateTime) -> Result<()> {
        Authority::new(&self.dir.join("authorities"), now)?;
        self.tend(now)
    }

    /// Lets the newest authority sign, and renews whatever another has signed.
    pub(crate) fn switch(&self, now: OffsetDateTime) -> Result<()> {
        self.renew_due(now, Duration::ZERO)
    }

    fn renew_due(&self, now: OffsetDateTime, notice: Duration) -> Result<()> {
        let signer = self.authorities(now, notice)?;
        let due = WORKLOADS.iter().filter(|workload| !self.is_fresh(workload, &signer, now));
        due.into_iter().try_for_each(|workload| self.issue(workload, &signer, now))
    }

    /// Whom the mesh believes; the first is the one that signs.
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
        let certificate = fs::read_to_string(self.authority()).context("there is no authority")?;
        let key = KeyPair::from_pem(&fs::read_to_string(self.key("ca"))?)?;
        let authority = Issuer::from_ca_cert_pem(&certificate, key)?;
        let key = KeyPair::generate()?;
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let now = OffsetDateTime::now_utc();
        let mut params = valid_for(CertificateParams::new(names)?, SERVER_LIFE, now);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        Ok((params.signed_by(&key, &authority)?.pem(), key.serialize_pem()))
    }

    /// Brings the authorities' files up to date; answers the one that signs.
    fn authorities(&self, now: OffsetDateTime, notice: Duration) -> Result<Authority> {
        let authorities = Authorities::tended(&self.dir.join("authorities"), now)?;
        let signs = fs::read_to_string(self.key("ca")).unwrap_or_default();
        let signer = authorities.signer(&signs, now - notice).context("there is no authority")?;
        replace(&self.authority(), &authorities.bundle(&signer))?;
        replace(&self.key("ca"), &signer.key)?;
        Ok(signer)
    }

    fn issue(&self, workload: &str, signer: &Authority, now: OffsetDateTime) -> Result<()> {
        let key = KeyPair::generate()?;
        let certificate = leaf(workload, now)?.signed_by(&key, &signer.issuer()?)?;
        replace(&self.key(workload), &key.serialize_pem())?;
        replace(&self.certificate(workload), &certificate.pem())
    }

    /// Whether a certificate is the signer's and not half over.
    fn is_fresh(&self, workload: &str, signer: &Authority, now: OffsetDateTime) -> bool {
        let fresh = || {
            let text = fs::read_to_string(self.certificate(workload)).ok()?;
            let (_, pem) = parse_x509_pem(text.as_bytes()).ok()?;
            let certificate = pem.parse_x509().ok()?;
            let issuer = certificate.issuer().iter_common_name().next()?.as_str().ok()?.to_owned();
            let left = certificate.validity().not_after.timestamp() - now.unix_timestamp();
            Some(issuer == signer.name() && left > LEAF_LIFE.whole_seconds() / 2)
        };
        fresh().unwrap_or_default()
    }
}

/// People's tools know servers by their DNS name, workloads everybody by the SPIFFE id.
fn leaf(workload: &str, now: OffsetDateTime) -> Result<CertificateParams> {
    let mut params = valid_for(CertificateParams::new([workload.to_owned()])?, LEAF_LIFE, now);
    let spiffe = format!("spiffe://{TRUST_DOMAIN}/ns/stoa/sa/{workload}");
    params.subject_alt_names.push(SanType::URI(spiffe.try_into()?));
    params.distinguished_name.push(DnType::CommonName, workload);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn valid_for(
    mut params: CertificateParams,
    life: Duration,
    now: OffsetDateTime,
) -> CertificateParams {
    // A little into the past, for clocks that were set back.
    params.not_before = now - Duration::hours(1);
    params.not_after = now + life;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
}

/// Puts a file in the place of another at once: nobody reads half of one.
fn replace(path: &Path, contents: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|found| found == contents) {
        return Ok(());
    }
    let new = path.with_extension("new");
    write_private(&new, contents)?;
    fs::rename(&new, path).with_context(|| format!("cannot replace {}", path.display()))
}

#[cfg(test)]
mod tests;
