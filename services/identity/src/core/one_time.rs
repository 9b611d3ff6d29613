//! One-time codes of an authenticator app (TOTP, RFC 6238) and recovery codes.

use rand::TryRngCore;
use rand::rngs::OsRng;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use time::OffsetDateTime;
use totp_rs::{Algorithm, Secret, TOTP};

use super::Error;
use crate::domain::TokenHash;

/// What every authenticator app understands.
const DIGITS: usize = 6;
const STEP_SECONDS: u64 = 30;
/// Clocks may differ, and people take their time (RFC 6238, section 5.2).
const STEPS_BESIDE: i64 = 1;
const SECRET_BYTES: usize = 20;
const ISSUER: &str = "Stoa";

const RECOVERY_CODES: usize = 10;
const RECOVERY_BYTES: usize = 10;

/// A secret for an app, of 160 random bits (RFC 4226, section 4).
pub(super) fn secret() -> Result<SecretSlice<u8>, Error> {
    Ok(random(SECRET_BYTES)?.into())
}

/// What the user types or scans: the secret in Base32, and a URI with all of it.
pub(super) fn shown(
    secret: &SecretSlice<u8>,
    email: &str,
) -> Result<(SecretString, SecretString), Error> {
    let totp = totp(secret, email)?;
    Ok((totp.get_secret_base32().into(), totp.get_url().into()))
}

/// The time step whose code this is: now, or one beside it that is later than `last`.
pub(super) fn step_of(
    secret: &SecretSlice<u8>,
    code: &str,
    last: i64,
    now: OffsetDateTime,
) -> Result<Option<i64>, Error> {
    let totp = totp(secret, "")?;
    let current = now.unix_timestamp() / STEP_SECONDS as i64;
    let steps = (current - STEPS_BESIDE)..=(current + STEPS_BESIDE);
    let matches = |step: &i64| {
        let expected = totp.generate(*step as u64 * STEP_SECONDS);
        bool::from(expected.as_bytes().ct_eq(code.as_bytes()))
    };
    Ok(steps.filter(|step| *step > last).find(matches))
}

fn totp(secret: &SecretSlice<u8>, account: &str) -> Result<TOTP, Error> {
    // A colon ends the issuer in the URI.
    let account = account.replace(':', "");
    let (bytes, issuer) = (secret.expose_secret().to_vec(), Some(ISSUER.to_owned()));
    TOTP::new(Algorithm::SHA1, DIGITS, 0, STEP_SECONDS, bytes, issuer, account)
        .map_err(|e| Error::internal(e.to_string()))
}

/// Recovery codes of 80 random bits each, as `abcd-efgh-ijkl-mnop`.
pub(super) fn recovery_codes() -> Result<Vec<SecretString>, Error> {
    let code = || {
        let base32 = Secret::Raw(random(RECOVERY_BYTES)?).to_encoded().to_string().to_lowercase();
        let groups: Vec<&str> = (0..base32.len()).step_by(4).map(|i| &base32[i..i + 4]).collect();
        Ok(groups.join("-").into())
    };
    (0..RECOVERY_CODES).map(|_| code()).collect()
}

/// What is kept of a recovery code, however it was typed.
pub(super) fn recovery_hash(code: &str) -> TokenHash {
    let typed: String =
        code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    TokenHash(Sha256::digest(typed).into())
}

pub(super) fn recovery_hash_of(code: &SecretString) -> TokenHash {
    recovery_hash(code.expose_secret())
}

fn random(bytes: usize) -> Result<Vec<u8>, Error> {
    let mut random = vec![0; bytes];
    OsRng.try_fill_bytes(&mut random).map_err(Error::internal)?;
    Ok(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the secret of the test vectors for SHA-1.
    fn rfc_secret() -> SecretSlice<u8> {
        b"12345678901234567890".to_vec().into()
    }

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    #[test]
    fn codes_are_those_of_the_rfc() -> Result<(), Error> {
        // The last six of eight digits.
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")]
        {
            let step = step_of(&rfc_secret(), code, 0, at(seconds))?;
            assert_eq!(step, Some(seconds / 30), "{code}");
        }
        Ok(())
    }

    #[test]
    fn a_code_works_one_step_early_and_late_and_never_again() -> Result<(), Error> {
        let (secret, step) = (rfc_secret(), 1_111_111_109 / 30);
        let tried = |seconds, last| step_of(&secret, "081804", last, at(seconds));
        assert_eq!(tried(1_111_111_109 + 30, 0)?, Some(step));
        assert_eq!(tried(1_111_111_109 - 30, 0)?, Some(step));
        assert_eq!(tried(1_111_111_109 + 60, 0)?, None);
        assert_eq!(tried(1_111_111_109, step)?, None);
        assert_eq!(step_of(&secret, "081805", 0, at(1_111_111_109))?, None);
        assert_eq!(step_of(&secret, "", 0, at(1_111_111_109))?, None);
        Ok(())
    }

    #[test]
    fn the_uri_has_what_apps_ask_for() -> Result<(), Error> {
        let (secret, uri) = shown(&secret()?, "ada:lovelace@example.com")?;
        let (secret, uri) = (secret.expose_secret(), uri.expose_secret());
        assert!(uri.starts_with("otpauth://totp/Stoa:adalovelace%40example.com?secret="), "{uri}");
        assert!(uri.contains(secret) && uri.contains("issuer=Stoa"), "{uri}");
        Ok(())
    }

    #[test]
    fn recovery_codes_are_taken_however_they_are_typed() -> Result<(), Error> {
        let codes = recovery_codes()?;
        assert_eq!(codes.len(), RECOVERY_CODES);
        let code = codes[0].expose_secret();
        assert_eq!(code.len(), 19, "{code}");
        let typed = code.to_uppercase().replace('-', " ");
        assert_eq!(recovery_hash(&typed), recovery_hash(code));
        assert_ne!(recovery_hash(codes[1].expose_secret()), recovery_hash(code));
        Ok(())
    }
}
