//! A broker virtual host of one test.

use uuid::Uuid;

use crate::stores::{afterwards, setting};

/// Makes a virtual host of its own and answers its AMQP URL. It goes when the test
/// ends.
pub async fn vhost() -> String {
    let api = setting("STOA_TEST_RABBITMQ_API");
    let name = format!("test-{}", Uuid::now_v7());
    let address = format!("{api}/api/vhosts/{name}");
    let answer = reqwest::Client::new()
        .put(&address)
        .header("content-type", "application/json")
        .body("{}")
        .send()
        .await
        .expect("the broker's management API answers (STOA_TEST_RABBITMQ_API)");
    assert!(answer.status().is_success(), "no virtual host: {}", answer.status());
    afterwards(async move {
        // A broker that is gone has no virtual hosts either.
        let _ = reqwest::Client::new().delete(address).send().await;
    });
    let server = setting("STOA_TEST_AMQP_URL");
    let (base, _) =
        server.rsplit_once('/').filter(|(b, _)| b.contains('@')).unwrap_or((&server, ""));
    format!("{base}/{name}")
}
