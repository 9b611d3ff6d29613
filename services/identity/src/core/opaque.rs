//! Refresh tokens as clients hold them: opaque and random.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::Error;
use crate::domain::TokenHash;

/// A new token of 256 random bits, in base64url.
pub(crate) fn generate() -> Result<SecretString, Error> {
    let mut bytes = [0; 32];
    OsRng.try_fill_bytes(&mut bytes).map_err(Error::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).into())
}

/// What is stored of a token. With 256 random bits there is nothing to guess, so a
/// fast hash without salt is enough.
pub(super) fn hash(token: &SecretString) -> TokenHash {
    TokenHash(Sha256::digest(token.expose_secret()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_never_the_same() -> Result<(), Error> {
        let (one, two) = (generate()?, generate()?);
        assert_eq!(one.expose_secret().len(), 43);
        assert_ne!(one.expose_secret(), two.expose_secret());
        assert_ne!(hash(&one), hash(&two));
        assert_eq!(hash(&one), hash(&one));
        Ok(())
    }
}
