//! Access tokens that must not pass.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grpc::Claims;
use identity::infrastructure::Sealing;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::KeyPair;
use secrecy::ExposeSecret;
use time::OffsetDateTime;
use tonic::Code;
use uuid::Uuid;

use crate::world::{Client, World, me, refused, user_id};

/// The service's own key, as only a test can have it.
struct Stolen {
    kid: String,
    pem: String,
    public: Vec<u8>,
}

impl Stolen {
    async fn from(world: &World) -> Self {
        let (kid, sealed, public): (String, Vec<u8>, _) =
            sqlx::query_as("select kid, sealed_key, public_key from signing_keys")
                .fetch_one(world.pool())
                .await
                .unwrap();
        let sealing = Sealing::new(&world.config.keys.sealing_keys).unwrap();
        let opened = sealing.open(&format!("signing_keys/{kid}"), &sealed).unwrap();
        let pem = String::from_utf8(opened.expose_secret().to_vec()).unwrap();
        Self { kid, pem, public }
    }

    fn sign(&self, claims: &Claims) -> String {
        sign(claims, Some(self.kid.clone()), &self.pem)
    }
}

fn sign(claims: &Claims, kid: Option<String>, pem: &str) -> String {
    let header = Header { kid, ..Header::new(Algorithm::ES256) };
    encode(&header, claims, &EncodingKey::from_ec_pem(pem.as_bytes()).unwrap()).unwrap()
}

fn claims(user: Uuid) -> Claims {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    Claims {
        iss: "https://stoa.local".to_owned(),
        aud: "stoa".to_owned(),
        sub: user,
        roles: vec!["customer".to_owned()],
        entitlements: Vec::new(),
        iat: now,
        exp: now + 900,
        jti: Uuid::now_v7(),
        sid: None,
    }
}

async fn is_refused(client: &Client, token: &str) {
    refused(me(client, token).await, Code::Unauthenticated, "TOKEN_INVALID");
}

#[tokio::test]
async fn a_token_must_be_ours_for_us_and_of_now() {
    let world = World::start().await;
    let (client, key) = (world.client(), Stolen::from(&world).await);
    let good = claims(user_id(&world.register("ada@example.com").await));
    assert!(me(&client, &key.sign(&good)).await.is_ok());

    let expired = Claims { iat: good.iat - 3600, exp: good.iat - 60, ..good.clone() };
    is_refused(&client, &key.sign(&expired)).await;
    is_refused(&client, &key.sign(&Claims { aud: "other".to_owned(), ..good.clone() })).await;
    let other_issuer = Claims { iss: "https://example.com".to_owned(), ..good.clone() };
    is_refused(&client, &key.sign(&other_issuer)).await;
}

#[tokio::test]
async fn a_token_must_be_signed_with_a_key_that_we_published() {
    let world = World::start().await;
    let (client, key) = (world.client(), Stolen::from(&world).await);
    let user = user_id(&world.register("ada@example.com").await);
    let theirs = KeyPair::generate().unwrap().serialize_pem();
    is_refused(&client, &sign(&claims(user), Some(key.kid.clone()), &theirs)).await;
    is_refused(&client, &sign(&claims(user), Some("unknown".to_owned()), &theirs)).await;
    is_refused(&client, &sign(&claims(user), None, &key.pem)).await;
    is_refused(&client, &world.platform.token(user, &["admin"])).await;
}

#[tokio::test]
async fn a_token_cannot_choose_how_it_is_checked() {
    let world = World::start().await;
    let (client, key) = (world.client(), Stolen::from(&world).await);
    let good = claims(user_id(&world.register("ada@example.com").await));
    let signed = key.sign(&good);
    let (_, rest) = signed.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    for alg in ["none", "None", "NONE"] {
        let header = format!(r#"{{"alg":"{alg}","typ":"JWT","kid":"{}"}}"#, key.kid);
        let header = URL_SAFE_NO_PAD.encode(header);
        is_refused(&client, &format!("{header}.{payload}.")).await;
        is_refused(&client, &format!("{header}.{payload}.{signature}")).await;
    }
    // The public key taken for a shared secret.
    let header = Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::HS256) };
    let confused = encode(&header, &good, &EncodingKey::from_secret(&key.public)).unwrap();
    is_refused(&client, &confused).await;
}

#[tokio::test]
async fn a_token_cannot_be_altered_or_left_out() {
    let world = World::start().await;
    let client = world.client();
    let session = world.register("ada@example.com").await;
    let parts: Vec<&str> = session.access_token.split('.').collect();
    let payload = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let payload = String::from_utf8(payload).unwrap().replace("customer", "admin");
    let payload = URL_SAFE_NO_PAD.encode(payload);
    is_refused(&client, &format!("{}.{payload}.{}", parts[0], parts[2])).await;
    is_refused(&client, "garbage").await;
    let nobody = client.clone().get_me(proto::identity::v1::GetMeRequest {}).await;
    refused(nobody, Code::Unauthenticated, "UNAUTHENTICATED");
}
