//! Encryption of what is kept: AES-256-GCM under a key that the database does not have.

use anyhow::{Context as _, Result, ensure};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use crate::core::Error;

/// The keys. The first seals; all open, so that keys can be replaced.
pub struct Sealing {
    keys: Vec<(String, LessSafeKey)>,
    random: SystemRandom,
}

/// Shorter ones could be guessed.
const SHORTEST_SECRET: usize = 24;

impl Sealing {
    /// From `<id>:<secret>[,<id>:<secret>…]`. A key is derived from each secret, which
    /// has to be random (HKDF, RFC 5869).
    pub fn new(setting: &SecretString) -> Result<Self> {
        let keys = setting.expose_secret().split(',').map(|entry| {
            let (id, secret) =
                entry.trim().split_once(':').context("SEALING_KEYS: expected <id>:<secret>")?;
            ensure!((1..=20).contains(&id.len()), "SEALING_KEYS: an id has 1 to 20 bytes");
            ensure!(secret.len() >= SHORTEST_SECRET, "SEALING_KEYS: the secret of {id} is short");
            Ok((id.to_owned(), derive(secret)?))
        });
        Ok(Self { keys: keys.collect::<Result<_>>()?, random: SystemRandom::new() })
    }

    /// Seals something, bound to what it is of: it opens for nothing else.
    pub fn seal(&self, of: &str, secret: &[u8]) -> Result<Vec<u8>, Error> {
        let (id, key) = self.keys.first().ok_or_else(|| Error::internal("no sealing key"))?;
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| Error::internal("no randomness"))?;
        let mut sealed = secret.to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(unique, Aad::from(of.as_bytes()), &mut sealed)
            .map_err(|_| Error::internal(format!("{of} cannot be sealed")))?;
        Ok([&[id.len() as u8], id.as_bytes(), &nonce, &sealed].concat())
    }

    /// Opens what was sealed for the same thing.
    pub fn open(&self, of: &str, sealed: &[u8]) -> Result<SecretSlice<u8>, Error> {
        let strange = || Error::internal(format!("what is sealed of {of} cannot be opened"));
        let (length, rest) = sealed.split_first().ok_or_else(strange)?;
        let (id, rest) = rest.split_at_checked(usize::from(*length)).ok_or_else(strange)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN).ok_or_else(strange)?;
        let key = self.keys.iter().find(|(known, _)| known.as_bytes() == id);
        let (_, key) = key.ok_or_else(|| {
            Error::internal(format!("SEALING_KEYS lacks the key that {of} was sealed with"))
        })?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| strange())?;
        let mut bytes = sealed.to_vec();
        let opened = key.open_in_place(nonce, Aad::from(of.as_bytes()), &mut bytes);
        Ok(opened.map_err(|_| strange())?.to_vec().into())
    }
}

fn derive(secret: &str) -> Result<LessSafeKey> {
    let no_key = |_| anyhow::anyhow!("SEALING_KEYS: no key can be derived");
    let derived = Salt::new(HKDF_SHA256, b"stoa identity sealing").extract(secret.as_bytes());
    let derived = derived.expand(&[b"aes-256-gcm"], &AES_256_GCM).map_err(no_key)?;
    Ok(LessSafeKey::new(UnboundKey::from(derived)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "k1:0123456789abcdef0123456789";
    const TWO: &str = "k2:9876543210abcdef0123456789,k1:0123456789abcdef0123456789";

    fn sealing(setting: &str) -> Result<Sealing> {
        Sealing::new(&setting.into())
    }

    #[test]
    fn what_is_sealed_opens_for_the_same_thing_only() -> Result<()> {
        let sealing = sealing(ONE)?;
        let sealed = sealing.seal("key/1", b"secret")?;
        assert!(!sealed.windows(6).any(|w| w == b"secret"));
        assert_eq!(sealing.open("key/1", &sealed)?.expose_secret(), b"secret");
        assert!(sealing.open("key/2", &sealed).is_err());
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert!(sealing.open("key/1", &changed).is_err(), "byte {i}");
            assert!(sealing.open("key/1", &sealed[..i]).is_err(), "cut at {i}");
        }
        Ok(())
    }

    #[test]
    fn keys_are_replaced_by_putting_the_new_one_first() -> Result<()> {
        let sealed = sealing(ONE)?.seal("it", b"secret")?;
        let both = sealing(TWO)?;
        assert_eq!(both.open("it", &sealed)?.expose_secret(), b"secret");
        assert!(sealing(ONE)?.open("it", &both.seal("it", b"secret")?).is_err());
        Ok(())
    }

    #[test]
    fn short_and_malformed_settings_are_refused() {
        for setting in ["", "k1", "k1:short", ":0123456789abcdef0123456789"] {
            assert!(sealing(setting).is_err(), "{setting}");
        }
    }
}
