//! A signing key and the tokens it makes, good and bad.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grpc::Claims;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use proto::identity::v1::Jwk;
use rcgen::{KeyPair, PublicKeyData};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::platform::token_config;

/// An ES256 key.
pub struct SigningKey {
    kid: String,
    pair: KeyPair,
}

impl SigningKey {
    /// A new key.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let pair = KeyPair::generate().expect("a P-256 key");
        Self { kid: Uuid::now_v7().to_string(), pair }
    }

    /// The public half.
    pub fn jwk(&self) -> Jwk {
        // SEC 1: 0x04, then x and y of 32 bytes each.
        let point = self.pair.der_bytes();
        let (x, y) = point[1..].split_at(32);
        Jwk {
            kty: "EC".to_owned(),
            r#use: "sig".to_owned(),
            alg: "ES256".to_owned(),
            kid: self.kid.clone(),
            crv: "P-256".to_owned(),
            x: URL_SAFE_NO_PAD.encode(x),
            y: URL_SAFE_NO_PAD.encode(y),
        }
    }

    /// What a token issued now says.
    pub fn claims(&self, user: Uuid, roles: &[&str]) -> Claims {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let config = token_config();
        Claims {
            iss: config.jwt_issuer,
            aud: config.jwt_audience,
            sub: user,
            roles: roles.iter().map(ToString::to_string).collect(),
            entitlements: Vec::new(),
            iat: now,
            exp: now + 900,
            jti: Uuid::now_v7(),
            sid: None,
        }
    }

    /// Signs claims.
    pub fn sign(&self, claims: &Claims) -> String {
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::ES256) };
        let pem = self.pair.serialize_pem();
        let key = EncodingKey::from_ec_pem(pem.as_bytes()).expect("the key just made");
        encode(&header, claims, &key).expect("claims are JSON")
    }
}
