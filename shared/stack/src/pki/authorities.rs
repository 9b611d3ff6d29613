//! The authorities that the mesh believes: one signs, the next may be announced, and
//! those before are believed until all that they signed has expired.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use time::{Duration, OffsetDateTime};

use super::{NOTICE, SERVER_LIFE, SIGNS, replace, valid_for};

/// So long whatever an authority has signed may live.
const BELIEVED: Duration = SIGNS.saturating_add(NOTICE).saturating_add(SERVER_LIFE);

/// Signs certificates.
#[derive(Clone)]
pub(super) struct Authority {
    born: OffsetDateTime,
    certificate: String,
    pub(super) key: String,
}

/// From the newest to the oldest.
pub(super) struct Authorities(Vec<Authority>);

impl Authorities {
    /// Those in `dir`, without those that are not needed any more, and with a new one
    /// where the newest has signed long enough.
    pub(super) fn tended(dir: &Path, now: OffsetDateTime) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let mut all = Vec::new();
        for entry in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
            let path = entry?.path();
            match Authority::read(&path) {
                Some(authority) if authority.is_believed(now) => all.push(authority),
                // Half of a pair is as good as none.
                _ if path.extension().is_some_and(|e| e == "pem") => forget(&path)?,
                _ => {}
            }
        }
        all.sort_by_key(|authority| std::cmp::Reverse(authority.born));
        if all.first().is_none_or(|newest| now - newest.born >= SIGNS) {
            all.insert(0, Authority::new(dir, now)?);
        }
        Ok(Self(all))
    }

    /// The newest that was made until then, or that signs already by its key; the
    /// oldest where there is neither.
    pub(super) fn signer(&self, key: &str, until: OffsetDateTime) -> Option<Authority> {
        let may = |authority: &&Authority| authority.born <= until || authority.key == key;
        self.0.iter().find(may).or(self.0.last()).cloned()
    }

    /// All of them, PEM, the signer first.
    pub(super) fn bundle(&self, signer: &Authority) -> String {
        let others = self.0.iter().filter(|authority| authority.born != signer.born);
        std::iter::once(signer).chain(others).map(|a| a.certificate.as_str()).collect()
    }
}

impl Authority {
    pub(super) fn new(dir: &Path, now: OffsetDateTime) -> Result<Self> {
        let born = now.replace_nanosecond(0)?;
        let key = KeyPair::generate()?;
        let life = BELIEVED + Duration::days(1);
        let mut params = valid_for(CertificateParams::default(), life, born);
        params.distinguished_name.push(DnType::CommonName, name(born));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?.pem();
        let path = dir.join(format!("{}.pem", born.unix_timestamp()));
        replace(&path.with_extension("key"), &key.serialize_pem())?;
        replace(&path, &certificate)?;
        Ok(Self { born, certificate, key: key.serialize_pem() })
    }

    /// One of the pairs `<seconds since 1970>.pem` and `.key`, by its certificate.
    fn read(path: &Path) -> Option<Self> {
        let born = path.extension().is_some_and(|e| e == "pem").then(|| path.file_stem())??;
        let born = OffsetDateTime::from_unix_timestamp(born.to_str()?.parse().ok()?).ok()?;
        let certificate = fs::read_to_string(path).ok()?;
        let key = fs::read_to_string(path.with_extension("key")).ok()?;
        let authority = Self { born, certificate, key };
        authority.issuer().ok().map(|_| authority)
    }

    fn is_believed(&self, now: OffsetDateTime) -> bool {
        // One from the future was made by a clock that has been set back since.
        self.born <= now && now - self.born < BELIEVED
    }

    /// It signs with this.
    pub(super) fn issuer(&self) -> Result<Issuer<'static, KeyPair>> {
        Ok(Issuer::from_ca_cert_pem(&self.certificate, KeyPair::from_pem(&self.key)?)?)
    }

    /// The issuer's name in what it signs.
    pub(super) fn name(&self) -> String {
        name(self.born)
    }
}

fn name(born: OffsetDateTime) -> String {
    format!("Stoa development CA {}", born.unix_timestamp())
}

fn forget(certificate: &Path) -> Result<()> {
    let gone = |path: PathBuf| match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    gone(certificate.with_extension("key"))?;
    Ok(gone(certificate.to_owned())?)
}
