//! Access tokens: JWTs signed with ES256 (RFC 7519; RFC 7518, section 3.4).

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grpc::{Claims, TokenConfig};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use super::postgres::signing_keys::{self, KeyRow, NewKey};
use super::sealing::Sealing;
use crate::core::Error;
use crate::core::ports::{Jwts, PublicKey, Replace, SigningKeys};
use crate::domain::{Event, KeyInfo, KeyPlan, User};

/// The keys in the database: the newest whose time has come signs.
pub struct Es256Keys {
    pool: PgPool,
    sealing: Arc<Sealing>,
    token: TokenConfig,
    /// Newest first.
    keys: RwLock<Arc<[SigningKey]>>,
}

struct SigningKey {
    info: KeyInfo,
    header: Header,
    key: EncodingKey,
}

impl Es256Keys {
    /// Takes the keys there are, or makes the first.
    pub async fn load(
        pool: PgPool,
        sealing: Arc<Sealing>,
        token: TokenConfig,
    ) -> Result<Self, Error> {
        signing_keys::ensure(&pool, &sealing, generate).await?;
        let keys = Self { pool, sealing, token, keys: RwLock::new(Arc::default()) };
        keys.refresh().await?;
        Ok(keys)
    }

    fn known(&self) -> Arc<[SigningKey]> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn signing_key(&self, row: &KeyRow) -> Result<SigningKey, Error> {
        let pem = row.open(&self.sealing)?;
        let key = EncodingKey::from_ec_pem(pem.expose_secret().as_bytes());
        let header = Header { kid: Some(row.kid.clone()), ..Header::new(Algorithm::ES256) };
        Ok(SigningKey { info: row.info(), header, key: key.map_err(Error::internal)? })
    }
}

#[async_trait]
impl SigningKeys for Es256Keys {
    fn sign(
        &self,
        user: &User,
        session: Uuid,
        now: OffsetDateTime,
        expires_at: OffsetDateTime,
    ) -> Result<SecretString, Error> {
        let claims = Claims {
            iss: self.token.jwt_issuer.clone(),
            aud: self.token.jwt_audience.clone(),
            sub: user.id,
            roles: user.roles.built_in.clone(),
            entitlements: user.entitlements.clone(),
            iat: now.unix_timestamp(),
            exp: expires_at.unix_timestamp(),
            jti: Uuid::now_v7(),
            sid: Some(session),
        };
        let known = self.known();
        let signer = known.iter().find(|key| key.info.may_sign(now));
        let signer = signer.ok_or_else(|| Error::internal("no key may sign"))?;
        let token = encode(&signer.header, &claims, &signer.key).map_err(Error::internal)?;
        Ok(token.into())
    }

    async fn published(&self) -> Result<Vec<PublicKey>, Error> {
        let rows = signing_keys::published(&self.pool).await?;
        rows.into_iter().map(public_key).collect()
    }

    async fn list(&self) -> Result<Vec<KeyInfo>, Error> {
        let rows = signing_keys::published(&self.pool).await?;
        Ok(rows.iter().map(KeyRow::info).collect())
    }

    async fn succeed(
        &self,
        plan: &KeyPlan,
        replace: Replace,
        event: &Event,
    ) -> Result<Option<KeyInfo>, Error> {
        signing_keys::succeed(&self.pool, &self.sealing, plan, replace, event, generate).await
    }

    async fn refresh(&self) -> Result<(), Error> {
        let rows = signing_keys::published(&self.pool).await?;
        let keys: Vec<_> =
            rows.iter().map(|row| self.signing_key(row)).collect::<Result<_, _>>()?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys.into();
        Ok(())
    }
}

#[async_trait]
impl Jwts for Es256Keys {
    fn sign(&self, kind: &str, claims: &Value, now: OffsetDateTime) -> Result<SecretString, Error> {
        let known = self.known();
        let signer = known.iter().find(|key| key.info.may_sign(now));
        let signer = signer.ok_or_else(|| Error::internal("no key may sign"))?;
        let header = Header { typ: Some(kind.to_owned()), ..signer.header.clone() };
        Ok(encode(&header, claims, &signer.key).map_err(Error::internal)?.into())
    }

    async fn read(&self, token: &str) -> Result<Option<Value>, Error> {
        let Some(kid) = decode_header(token).ok().and_then(|header| header.kid) else {
            return Ok(None);
        };
        let known = self.published().await?;
        let Some(key) = known.iter().find(|key| key.kid == kid) else { return Ok(None) };
        let key = DecodingKey::from_ec_components(&key.x, &key.y).map_err(Error::internal)?;
        // Whoever asks compares the claims.
        let mut validation = Validation::new(Algorithm::ES256);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Ok(decode::<Value>(token, &key, &validation).ok().map(|decoded| decoded.claims))
    }
}

fn generate() -> Result<NewKey, Error> {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(Error::internal)?;
    let public_key = pair.der_bytes().to_vec();
    let (x, y) = coordinates(&public_key)?;
    let private_key = pair.serialize_pem().into();
    Ok(NewKey { kid: thumbprint(&x, &y), private_key, public_key })
}

fn public_key(row: KeyRow) -> Result<PublicKey, Error> {
    let (x, y) = coordinates(&row.public_key)?;
    Ok(PublicKey { kid: row.kid, x, y })
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
