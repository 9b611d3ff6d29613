//! How often somebody may guess.

use futures::future::join_all;
use testkit::eventually;
use tonic::{Code, Request};
use tonic_types::StatusExt;

use crate::world::{PASSWORD, World, login, refused};

const EMAIL: &str = "ada@example.com";

#[tokio::test]
async fn many_wrong_guesses_make_the_account_wait_whether_or_not_it_exists() {
    let world = World::start_with(|config| config.guessing.guesses_per_account = 3).await;
    world.register(EMAIL).await;
    let client = world.client();
    for email in [EMAIL, "nobody@example.com"] {
        for _ in 0..4 {
            let answer = login(&client, email, "not the password").await;
            refused(answer, Code::Unauthenticated, "BAD_CREDENTIALS");
        }
        // The right password does not help either: it could be the guess that hits.
        let answer = login(&client, email, PASSWORD).await;
        let status = refused(answer, Code::ResourceExhausted, "LOGIN_THROTTLED");
        let delay = status.get_details_retry_info().unwrap().retry_delay.unwrap();
        assert!(delay.as_millis() <= 1000, "{delay:?}");
    }
    eventually("the pause is over", async || login(&client, EMAIL, PASSWORD).await.ok()).await;
    // All is forgiven.
    for _ in 0..3 {
        let answer = login(&client, EMAIL, "not the password").await;
        refused(answer, Code::Unauthenticated, "BAD_CREDENTIALS");
    }
}

#[tokio::test]
async fn guesses_at_the_same_moment_are_all_counted() {
    let world = World::start_with(|config| config.guessing.guesses_per_account = 3).await;
    world.register(EMAIL).await;
    let (one, other) =
        (world.client(), world.replica_with(|c| c.guessing.guesses_per_account = 3).await);
    let tries =
        (0..40).map(|i| login(if i % 2 == 0 { &one } else { &other }, EMAIL, "not it at all"));
    let answers = join_all(tries).await;
    let looked_at = answers
        .iter()
        .filter(|answer| answer.as_ref().is_err_and(|s| s.code() == Code::Unauthenticated))
        .count();
    assert_eq!(looked_at, 4);
}

#[tokio::test]
async fn a_client_address_waits_too() {
    let world = World::start_with(|config| config.guessing.guesses_per_address = 3).await;
    let guess = async |number: usize, address: &'static str| {
        let mut request = Request::new(proto::identity::v1::LoginRequest {
            email: format!("somebody{number}@example.com"),
            password: "not the password".to_owned(),
            one_time_code: String::new(),
        });
        request.metadata_mut().insert("x-client-address", address.parse().unwrap());
        world.client().login(request).await
    };
    for number in 0..4 {
        let guessed = guess(number, "203.0.113.7").await;
        refused(guessed, Code::Unauthenticated, "BAD_CREDENTIALS");
    }
    let throttled = guess(4, "203.0.113.7").await;
    refused(throttled, Code::ResourceExhausted, "LOGIN_THROTTLED");
    let elsewhere = guess(5, "203.0.113.8").await;
    refused(elsewhere, Code::Unauthenticated, "BAD_CREDENTIALS");
}
