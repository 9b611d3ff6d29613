//! Passwords: which may be chosen, how they are changed, how they are kept.

use proto::identity::v1::ChangePasswordRequest;
use testkit::bearer;
use tonic::{Code, Status};

use crate::world::{PASSWORD, World, login, me, refresh, refused, registration};

const NEW: &str = "a new and better one";

impl World {
    async fn change(&self, token: &str, current: &str, new: &str) -> Result<(), Status> {
        let (current_password, new_password) = (current.to_owned(), new.to_owned());
        let request = ChangePasswordRequest { current_password, new_password };
        self.accounts().change_password(bearer(request, token)).await.map(drop)
    }
}

#[tokio::test]
async fn what_everybody_tries_first_is_refused() {
    let world = World::start().await;
    for password in ["Password123", "qwertyuiop", "ada@example.com", "aaaaaaaaaaaa"] {
        let request = registration("ada@example.com", password, "Ada Lovelace");
        let answer = world.client().register(request).await;
        refused(answer, Code::InvalidArgument, "PASSWORD_COMMON");
    }
}

#[tokio::test]
async fn a_changed_password_ends_every_other_session() {
    let world = World::start().await;
    let client = world.client();
    let other = world.register("ada@example.com").await;
    let session = login(&client, "ada@example.com", PASSWORD).await.unwrap();
    world.change(&session.access_token, PASSWORD, NEW).await.unwrap();

    let dead = refresh(&client, &other.refresh_token).await;
    refused(dead, Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
    let kept = refresh(&client, &session.refresh_token).await.unwrap();
    assert!(me(&client, &kept.access_token).await.is_ok());
    let old = login(&client, "ada@example.com", PASSWORD).await;
    refused(old, Code::Unauthenticated, "BAD_CREDENTIALS");
    assert!(login(&client, "ada@example.com", NEW).await.is_ok());
}

#[tokio::test]
async fn it_is_changed_by_whoever_knows_it_only() {
    let world = World::start_with(|config| config.guessing.guesses_per_account = 2).await;
    let session = world.register("ada@example.com").await;
    let common = world.change(&session.access_token, PASSWORD, "password123").await;
    refused(common, Code::InvalidArgument, "PASSWORD_COMMON");
    for _ in 0..3 {
        let wrong = world.change(&session.access_token, "not the password", NEW).await;
        refused(wrong, Code::InvalidArgument, "PASSWORD_WRONG");
    }
    // A stolen access token is no way to guess it.
    let throttled = world.change(&session.access_token, PASSWORD, NEW).await;
    refused(throttled, Code::ResourceExhausted, "LOGIN_THROTTLED");
}

#[tokio::test]
async fn a_hash_of_old_parameters_is_replaced_when_somebody_signs_in() {
    let world = World::start().await;
    world.register("ada@example.com").await;
    let dearer = world.replica_with(|config| config.argon2.argon2_iterations = 2).await;
    let hash = async || {
        let sql = "select password_hash from users where email = 'ada@example.com'";
        sqlx::query_scalar::<_, String>(sql).fetch_one(world.pool()).await.unwrap()
    };
    assert!(hash().await.contains("m=64,t=1,p=1"));
    assert!(login(&dearer, "ada@example.com", "not the password").await.is_err());
    assert!(hash().await.contains("m=64,t=1,p=1"));
    login(&dearer, "ada@example.com", PASSWORD).await.unwrap();
    assert!(hash().await.contains("m=64,t=2,p=1"));
    login(&dearer, "ada@example.com", PASSWORD).await.unwrap();
}
