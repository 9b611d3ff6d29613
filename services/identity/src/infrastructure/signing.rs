//! Access tokens: JWTs signed with ES256 (RFC 7519; RFC 7518, section 3.4).

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grpc::{Claims, TokenConfig};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use super::postgres::signing_keys::{self, PublicRow, StoredKey};
use crate::core::Error;
use crate::core::ports::{PublicKey, SigningKeys};
use crate::domain::User;

/// The keys in the database; the newest signs.
pub struct Es256Keys {
    pool: PgPool,
    token: TokenConfig,
    header: Header,
    key: EncodingKey,
}

impl Es256Keys {
    /// Takes the newest key, or makes the first.
    pub async fn load(pool: PgPool, token: TokenConfig) -> Result<Self, Error> {
        let stored = signing_keys::newest_or(&pool, generate).await?;
        let pem = stored.private_key.expose_secret();
        let key = EncodingKey::from_ec_pem(pem.as_bytes()).map_err(Error::internal)?;
        let header = Header { kid: Some(stored.kid), ..Header::new(Algorithm::ES256) };
        Ok(Self { pool, token, header, key })
    }
}

#[async_trait]
impl SigningKeys for Es256Keys {
    fn sign(
        &self,
        user: &User,
        now: OffsetDateTime,
        expires_at: OffsetDateTime,
    ) -> Result<SecretString, Error> {
        let claims = Claims {
            iss: self.token.jwt_issuer.clone(),
            aud: self.token.jwt_audience.clone(),
            sub: user.id,
            roles: user.roles.clone(),
            iat: now.unix_timestamp(),
            exp: expires_at.unix_timestamp(),
            jti: Uuid::now_v7(),
        };
        let token = encode(&self.header, &claims, &self.key).map_err(Error::internal)?;
        Ok(token.into())
    }

    async fn published(&self) -> Result<Vec<PublicKey>, Error> {
        let rows = signing_keys::published(&self.pool).await?;
        rows.into_iter().map(public_key).collect()
    }
}

fn generate() -> Result<StoredKey, Error> {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(Error::internal)?;
    let public_key = pair.der_bytes().to_vec();
    let (x, y) = coordinates(&public_key)?;
    let private_key = pair.serialize_pem().into();
    Ok(StoredKey { kid: thumbprint(&x, &y), private_key, public_key })
}

fn public_key(row: PublicRow) -> Result<PublicKey, Error> {
    let PublicRow { kid, public_key } = row;
    let (x, y) = coordinates(&public_key)?;
    Ok(PublicKey { kid, x, y })
}

/// The coordinates in an uncompressed point (SEC 1, section 2.3.3), in base64url.
fn coordinates(point: &[u8]) -> Result<(String, String), Error> {
    let Some((0x04, coordinates)) = point.split_first().map(|(tag, rest)| (*tag, rest)) else {
        return Err(Error::internal("a signing key's public half is no uncompressed point"));
    };
    let Some((x, y)) = coordinates.split_at_checked(32).filter(|(_, y)| y.len() == 32) else {
        return Err(Error::internal("a signing key is not on P-256"));
    };
    Ok((URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y)))
}

/// RFC 7638: SHA-256 of the required members in lexicographic order, in base64url.
fn thumbprint(x: &str, y: &str) -> String {
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::{Jwk, ThumbprintHash};

    use super::*;

    #[test]
    fn the_thumbprint_is_the_one_another_implementation_computes() -> anyhow::Result<()> {
        let key = generate()?;
        let (x, y) = coordinates(&key.public_key)?;
        let json = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#);
        let jwk: Jwk = serde_json::from_str(&json)?;
        assert_eq!(jwk.thumbprint(ThumbprintHash::SHA256)?, key.kid);
        Ok(())
    }

    #[test]
    fn a_point_that_is_not_uncompressed_p256_is_refused() {
        assert!(coordinates(&[]).is_err());
        assert!(coordinates(&[0x02; 33]).is_err());
        assert!(coordinates(&[0x04; 97]).is_err());
        assert!(coordinates(&[0x04; 65]).is_ok());
    }
}
