//! Signing keys: published, shared by replicas, made once.

use std::collections::HashSet;

use futures::future::join_all;
use jsonwebtoken::jwk::{JwkSet, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use proto::identity::v1::{GetJwksRequest, Jwk};
use serde_json::{Value, json};
use tonic::Code;

use crate::world::{Client, World, me, refused, register, user_id};

async fn jwks(client: &Client) -> Vec<Jwk> {
    client.clone().get_jwks(GetJwksRequest {}).await.unwrap().into_inner().keys
}

/// As a client would get them over REST.
fn as_json(keys: Vec<Jwk>) -> Value {
    let key = |Jwk { kty, r#use, alg, kid, crv, x, y }| json!({ "kty": kty, "use": r#use, "alg": alg, "kid": kid, "crv": crv, "x": x, "y": y });
    json!({ "keys": keys.into_iter().map(key).collect::<Vec<_>>() })
}

#[tokio::test]
async fn anybody_can_check_a_token_with_the_published_keys() {
    let world = World::start().await;
    let session = world.register("ada@example.com").await;
    let set: JwkSet = serde_json::from_value(as_json(jwks(&world.client()).await)).unwrap();
    let kid = decode_header(&session.access_token).unwrap().kid.unwrap();
    let key = set.find(&kid).unwrap();
    assert_eq!(key.thumbprint(ThumbprintHash::SHA256).unwrap(), kid);

    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&["https://stoa.local"]);
    validation.set_audience(&["stoa"]);
    let key = DecodingKey::from_jwk(key).unwrap();
    let claims = decode::<Value>(&session.access_token, &key, &validation).unwrap().claims;
    assert_eq!(claims["sub"], user_id(&session).to_string());
    assert_eq!(claims["roles"], json!(["customer"]));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    assert!(claims["jti"].is_string());
}

#[tokio::test]
async fn services_may_fetch_the_keys_and_nothing_else() {
    let world = World::start().await;
    for workload in ["cart", "catalog", "inventory", "notifications", "orders", "payments"] {
        let client = world.client_as(workload);
        assert_eq!(jwks(&client).await.len(), 1);
        let answer = register(&client, "ada@example.com").await;
        refused(answer, Code::PermissionDenied, "CALLER_NOT_ALLOWED");
    }
}

#[tokio::test]
async fn a_replica_checks_the_tokens_of_another() {
    let world = World::start().await;
    let session = world.register("ada@example.com").await;
    let replica = world.replica().await;
    assert!(me(&replica, &session.access_token).await.is_ok());
    let theirs = register(&replica, "grace@example.com").await.unwrap();
    assert!(me(&world.client(), &theirs.access_token).await.is_ok());
    assert_eq!(jwks(&replica).await, jwks(&world.client()).await);
}

#[tokio::test]
async fn replicas_that_start_together_agree_on_one_key_and_one_admin() {
    let world = World::start().await;
    sqlx::query("delete from signing_keys").execute(world.pool()).await.unwrap();
    sqlx::query("delete from users").execute(world.pool()).await.unwrap();
    let replicas = join_all((0..4).map(|_| world.replica())).await;
    let mut kids = HashSet::new();
    for replica in &replicas {
        kids.extend(jwks(replica).await.into_iter().map(|key| key.kid));
    }
    assert_eq!(kids.len(), 1);
    let admins: i64 =
        sqlx::query_scalar("select count(*) from users").fetch_one(world.pool()).await.unwrap();
    assert_eq!(admins, 1);
}
