//! Signing keys that follow each other.

use std::collections::HashSet;

use jsonwebtoken::decode_header;
use proto::identity::v1::{
    GetJwksRequest, ListSigningKeysRequest, RotateSigningKeysRequest, SigningKey, SigningKeyState,
};
use testkit::{bearer, eventually};
use tonic::{Code, Status};

use crate::world::{ADMIN_EMAIL, Client, PASSWORD, World, login, me, refused};

async fn kid_of_a_new_token(client: &Client) -> String {
    let session = login(client, ADMIN_EMAIL, PASSWORD).await.unwrap();
    decode_header(&session.access_token).unwrap().kid.unwrap()
}

/// Longer than the gate waits before it asks again for a key that it does not know.
const LEAD_SECONDS: i32 = 6;

impl World {
    async fn rotate(&self) -> Result<SigningKey, Status> {
        let request = RotateSigningKeysRequest { reason: "somebody left".to_owned() };
        let request = bearer(request, &self.admin_token().await);
        Ok(self.security_as("edge").rotate_signing_keys(request).await?.into_inner())
    }

    async fn signing_keys(&self) -> Vec<SigningKey> {
        let request = bearer(ListSigningKeysRequest {}, &self.admin_token().await);
        self.security_as("edge").list_signing_keys(request).await.unwrap().into_inner().keys
    }

    async fn published(&self) -> HashSet<String> {
        let keys = self.client().get_jwks(GetJwksRequest {}).await.unwrap().into_inner().keys;
        keys.into_iter().map(|key| key.kid).collect()
    }
}

#[tokio::test]
async fn a_new_key_is_published_before_it_signs_and_the_old_one_after() {
    let world = World::start_with(|config| config.keys.key_lead_seconds = LEAD_SECONDS).await;
    let client = world.client();
    let old = kid_of_a_new_token(&client).await;
    let made = world.rotate().await.unwrap();
    assert_eq!(made.state(), SigningKeyState::Published);
    assert_eq!(world.published().await, HashSet::from([old.clone(), made.kid.clone()]));
    assert_eq!(kid_of_a_new_token(&client).await, old);
    refused(world.rotate().await, Code::FailedPrecondition, "ROTATION_RUNNING");

    let early = login(&client, ADMIN_EMAIL, PASSWORD).await.unwrap();
    eventually("the new key signs", async || {
        let session = login(&client, ADMIN_EMAIL, PASSWORD).await.unwrap();
        assert!(me(&client, &session.access_token).await.is_ok(), "no token is refused meanwhile");
        let kid = decode_header(&session.access_token).unwrap().kid.unwrap();
        (kid == made.kid).then_some(())
    })
    .await;
    assert!(me(&client, &early.access_token).await.is_ok());
    let states: Vec<_> = world.signing_keys().await.iter().map(SigningKey::state).collect();
    assert_eq!(states, [SigningKeyState::Signing, SigningKeyState::Retiring]);
    assert!(world.published().await.contains(&old));
}

#[tokio::test]
async fn a_key_is_published_until_its_last_token_has_expired() {
    let world = World::start().await;
    let made = world.rotate().await.unwrap();
    let [new, old] = world.signing_keys().await.try_into().unwrap();
    assert_eq!((&new.kid, new.retire_time), (&made.kid, None));
    let lag = old.retire_time.unwrap().seconds - new.sign_time.unwrap().seconds;
    assert_eq!(lag, 900 + 300);
    sqlx::query("update signing_keys set retires_at = now() - interval '1 second' where kid = $1")
        .bind(&old.kid)
        .execute(world.pool())
        .await
        .unwrap();
    assert_eq!(world.published().await, HashSet::from([new.kid]));
}

#[tokio::test]
async fn keys_are_replaced_when_they_are_old_by_one_replica() {
    let change = |config: &mut identity::config::Config| {
        config.keys.key_rotation_seconds = 2;
        config.keys.key_lead_seconds = 0;
    };
    let world = World::start_with(change).await;
    let replica = world.replica_with(change).await;
    let first = kid_of_a_new_token(&world.client()).await;
    eventually("both sign with a newer key", async || {
        let here = kid_of_a_new_token(&world.client()).await;
        let there = kid_of_a_new_token(&replica).await;
        (here != first && here == there).then_some(())
    })
    .await;
    let (keys, ages): (i64, i64) = sqlx::query_as(
        "select count(*), count(distinct date_trunc('second', created_at)) from signing_keys",
    )
    .fetch_one(world.pool())
    .await
    .unwrap();
    assert_eq!(keys, ages, "two were made at once");
}

#[tokio::test]
async fn private_keys_are_sealed_also_those_of_an_older_release() {
    let world = World::start().await;
    let old = kid_of_a_new_token(&world.client()).await;
    let pem = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
    sqlx::query("update signing_keys set private_key = $1, sealed_key = null")
        .bind(&pem)
        .execute(world.pool())
        .await
        .unwrap();
    let replica = world.replica().await;
    let session = login(&replica, ADMIN_EMAIL, PASSWORD).await.unwrap();
    assert_eq!(decode_header(&session.access_token).unwrap().kid.unwrap(), old);
    let clear: i64 = sqlx::query_scalar(
        "select count(*) from signing_keys
         where private_key is not null or position('PRIVATE KEY' in encode(sealed_key, 'escape')) > 0",
    )
    .fetch_one(world.pool())
    .await
    .unwrap();
    assert_eq!(clear, 0);
}
