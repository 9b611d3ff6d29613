//! Tokens as the platform signs them, and as somebody would who wishes to be believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grpc::Claims;
use identity::infrastructure::Sealing;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::KeyPair;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use stack::Stack;

/// A key that signs tokens.
pub struct Signer {
    pub kid: String,
    key: KeyPair,
}

impl Signer {
    /// The platform's own key, so that only the claim under test is wrong.
    pub async fn of(stack: &Stack) -> Self {
        let url = stack.postgres_url("identity").unwrap();
        let mut database = PgConnection::connect(&url).await.unwrap();
        let sql = "select kid, sealed_key from signing_keys where signs_at <= now()
                   order by signs_at desc, kid limit 1";
        let (kid, sealed): (String, Vec<u8>) =
            sqlx::query_as(sql).fetch_one(&mut database).await.unwrap();
        let secret = stack.layout().secret("sealing").unwrap();
        let sealing = Sealing::new(&format!("local:{secret}").into()).unwrap();
        let opened = sealing.open(&format!("signing_keys/{kid}"), &sealed).unwrap();
        let pem = std::str::from_utf8(opened.expose_secret()).unwrap();
        Self { key: KeyPair::from_pem(pem).unwrap(), kid }
    }

    /// Another key under the same name.
    pub fn impostor(&self) -> Self {
        Self { kid: self.kid.clone(), key: KeyPair::generate().unwrap() }
    }

    /// The same key under another name.
    pub fn under(self, kid: &str) -> Self {
        Self { kid: kid.to_owned(), ..self }
    }

    pub fn sign(&self, claims: &Claims) -> String {
        let key = EncodingKey::from_ec_pem(self.key.serialize_pem().as_bytes()).unwrap();
        encode(&self.header(Algorithm::ES256), claims, &key).unwrap()
    }

    /// For verifiers that let the token choose the algorithm: the secret is public.
    pub fn sign_with_public_key(&self, claims: &Claims) -> String {
        let key = EncodingKey::from_secret(self.public_key().as_bytes());
        encode(&self.header(Algorithm::HS256), claims, &key).unwrap()
    }

    /// Any header over any payload.
    pub fn seal(&self, header: &str, payload: &str) -> String {
        let text = unsigned(header, payload);
        let key = EncodingKey::from_ec_pem(self.key.serialize_pem().as_bytes()).unwrap();
        let signature = jsonwebtoken::crypto::sign(text.as_bytes(), &key, Algorithm::ES256);
        format!("{text}.{}", signature.unwrap())
    }

    /// The same with the signature as X.509 writes it, which JWS does not (RFC 7518,
    /// section 3.4).
    pub fn seal_in_der(&self, header: &str, payload: &str) -> String {
        let text = unsigned(header, payload);
        let signature = rcgen::SigningKey::sign(&self.key, text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The public key as a JWK (RFC 7517).
    pub fn jwk(&self) -> Value {
        // Uncompressed: a byte that says so, then both coordinates (SEC 1, section 2.3.3).
        let point = self.key.public_key_raw();
        let [x, y] = [&point[1..33], &point[33..]].map(|c| URL_SAFE_NO_PAD.encode(c));
        json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": self.kid, "x": x, "y": y})
    }

    /// What everybody may know of the key.
    pub fn public_key(&self) -> String {
        self.key.public_key_pem()
    }

    fn header(&self, algorithm: Algorithm) -> Header {
        Header { kid: Some(self.kid.clone()), ..Header::new(algorithm) }
    }
}

/// What a token says.
pub fn claims_in(token: &str) -> Claims {
    serde_json::from_value(payload(token)).unwrap()
}

/// The same, whatever it is.
pub fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The part of a token that is signed.
pub fn unsigned(header: &str, payload: &str) -> String {
    let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{header}.{payload}")
}
