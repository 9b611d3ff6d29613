//! Registering, signing in, changing one's account.

use futures::future::join_all;
use prost_types::FieldMask;
use proto::identity::v1::{Session, UpdateMeRequest, User};
use secrecy::ExposeSecret;
use testkit::{bearer, eventually, fields};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::world::{
    ADMIN_EMAIL, PASSWORD, World, cheap_hashing, login, me, refused, register, registration,
};

#[tokio::test]
async fn somebody_registers_signs_in_and_sees_their_account() {
    let world = World::start().await;
    let registered = world.register("Ada@Example.com").await;
    assert_eq!(registered.token_type, "Bearer");
    assert_eq!(registered.expires_in, 900);
    let user = registered.user.clone().unwrap();
    assert_eq!(user.email, "Ada@Example.com");
    assert_eq!(user.display_name, "Ada Lovelace");
    assert_eq!(user.roles, ["customer"]);

    let client = world.client();
    let signed_in = login(&client, "ada@example.COM", PASSWORD).await.unwrap();
    assert_eq!(signed_in.user, registered.user);
    assert_ne!(signed_in.refresh_token, registered.refresh_token);
    for session in [&registered, &signed_in] {
        assert_eq!(me(&client, &session.access_token).await.unwrap(), user);
    }
}

#[tokio::test]
async fn an_email_address_is_taken_in_any_case() {
    let world = World::start().await;
    world.register("ada@example.com").await;
    let again = register(&world.client(), "ADA@Example.com").await;
    refused(again, Code::AlreadyExists, "EMAIL_TAKEN");
}

#[tokio::test]
async fn of_many_who_register_the_same_address_at_once_one_succeeds() {
    let world = World::start().await;
    let client = world.client();
    let all = join_all((0..8).map(|_| register(&client, "ada@example.com"))).await;
    let (won, lost): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for answer in lost {
        refused(answer, Code::AlreadyExists, "EMAIL_TAKEN");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_are_answered_alike() {
    let world = World::start().await;
    world.register("ada@example.com").await;
    let client = world.client();
    let unknown = ["nobody@example.com", "ada@example.com\n", "' or 1=1 --"];
    let wrong = login(&client, "ada@example.com", "wrong horse battery").await;
    let wrong = refused(wrong, Code::Unauthenticated, "BAD_CREDENTIALS");
    for email in unknown {
        let answer = login(&client, email, PASSWORD).await;
        let answer = refused(answer, Code::Unauthenticated, "BAD_CREDENTIALS");
        assert_eq!((answer.message(), answer.details()), (wrong.message(), wrong.details()));
    }
}

#[tokio::test]
async fn the_contract_rules_are_applied_before_anything_is_stored() {
    let world = World::start().await;
    let mut client = world.client();
    for (request, field) in [
        (registration("no address", PASSWORD, "Ada"), "email"),
        (registration("ada@example.com", "short", "Ada"), "password"),
        (registration("ada@example.com", PASSWORD, ""), "display_name"),
        (registration("ada@example.com", PASSWORD, "Ada\r\nBcc: all"), "display_name"),
        (registration("ada@example.com", PASSWORD, "nul\0"), "display_name"),
    ] {
        let status = client.register(request).await.expect_err("a refusal");
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(fields(&status), [field]);
    }
    let count: i64 = sqlx::query_scalar("select count(*) from users where email <> $1")
        .bind(ADMIN_EMAIL)
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert_eq!(count, 0);
}

#[tokio::test]
async fn neither_passwords_nor_refresh_tokens_are_stored() {
    let world = World::start().await;
    let session = world.register("ada@example.com").await;
    let hash: String =
        sqlx::query_scalar("select password_hash from users where email = 'ada@example.com'")
            .fetch_one(world.pool())
            .await
            .unwrap();
    assert!(hash.starts_with("$argon2id$v=19$"));
    assert!(!hash.contains(PASSWORD));
    let stored: Vec<Vec<u8>> = sqlx::query_scalar("select token_hash from refresh_tokens")
        .fetch_all(world.pool())
        .await
        .unwrap();
    assert_eq!(stored.len(), 1);
    assert!(stored.iter().all(|s| s.as_slice() != session.refresh_token.as_bytes()));
    assert!(!format!("{:?}", world.config).contains(PASSWORD));
    assert_eq!(world.config.admin_password.as_ref().unwrap().expose_secret(), PASSWORD);
}

async fn update(
    world: &World,
    session: &Session,
    user: User,
    paths: &[&str],
) -> Result<User, Status> {
    let paths = paths.iter().map(ToString::to_string).collect();
    let request = UpdateMeRequest { user: Some(user), update_mask: Some(FieldMask { paths }) };
    let answer = world.client().update_me(bearer(request, &session.access_token)).await;
    Ok(answer?.into_inner())
}

#[tokio::test]
async fn somebody_changes_their_name_and_nothing_else() {
    let world = World::start().await;
    let session = world.register("ada@example.com").await;
    let before = session.user.clone().unwrap();
    let wanted = User {
        display_name: "Countess of Lovelace".to_owned(),
        email: "other@example.com".to_owned(),
        roles: vec!["admin".to_owned()],
        ..User::default()
    };
    let expected = User { display_name: wanted.display_name.clone(), ..before.clone() };
    for paths in [&["display_name"][..], &[], &["*"]] {
        assert_eq!(update(&world, &session, wanted.clone(), paths).await.unwrap(), expected);
    }
    assert_eq!(me(&world.client(), &session.access_token).await.unwrap(), expected);
    let unchanged = update(&world, &session, User::default(), &[]).await.unwrap();
    assert_eq!(unchanged, expected);
}

#[tokio::test]
async fn a_mask_that_names_anything_but_the_name_is_refused() {
    let world = World::start().await;
    let session = world.register("ada@example.com").await;
    for path in ["roles", "email", "user_id", "create_time", "display_name.x", "nothing"] {
        let answer = update(&world, &session, User::default(), &["display_name", path]).await;
        refused(answer, Code::InvalidArgument, "FIELD_MASK_INVALID");
    }
    let empty = update(&world, &session, User::default(), &["display_name"]).await;
    let status = refused(empty, Code::InvalidArgument, "VALIDATION_FAILED");
    assert_eq!(fields(&status), ["display_name"]);
}

#[tokio::test]
async fn more_sign_ins_than_can_be_served_are_told_to_come_back() {
    let world = World::start_with(|config| {
        config.argon2.argon2_memory_kib = 16 * 1024;
        config.argon2.password_hashers = Some(1);
        config.argon2.password_queue = 0;
        // Twelve at once are twelve guesses until they are looked at.
        config.guessing.guesses_per_account = 100;
    })
    .await;
    let client = world.client();
    let turned_away = eventually("sign-ins that meet", async || {
        let all = join_all((0..12).map(|_| login(&client, ADMIN_EMAIL, PASSWORD))).await;
        let (served, turned_away): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
        (!served.is_empty() && !turned_away.is_empty()).then_some(turned_away)
    })
    .await;
    for answer in turned_away {
        let status = refused(answer, Code::ResourceExhausted, "TOO_MANY_LOGINS");
        assert!(status.get_details_retry_info().unwrap().retry_delay.is_some());
    }
    assert!(login(&client, ADMIN_EMAIL, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_password_hashed_with_other_settings_still_matches() {
    let world = World::start().await;
    world.register("ada@example.com").await;
    let replica = world
        .replica_with(|config| {
            config.argon2 = cheap_hashing();
            config.argon2.argon2_memory_kib = 128;
        })
        .await;
    assert!(login(&replica, "ada@example.com", PASSWORD).await.is_ok());
}
