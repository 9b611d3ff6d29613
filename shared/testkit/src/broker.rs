//! A broker virtual host of one test.

use uuid::Uuid;

use crate::stores::setting;

/// Makes a virtual host of its own and answers its AMQP URL.
///
/// It stays until the stores are stopped: they belong to the test run.
pub async fn vhost() -> String {
    let api = setting("STOA_TEST_RABBITMQ_API");
    let name = format!("test-{}", Uuid::now_v7());
    let answer = reqwest::Client::new()
        .put(format!("{api}/api/vhosts/{name}"))
        .header("content-type", "application/json")
        .body("{}")
        .send()
        .await
        .expect("the broker's management API answers (STOA_TEST_RABBITMQ_API)");
    assert!(answer.status().is_success(), "no virtual host: {}", answer.status());
    let server = setting("STOA_TEST_AMQP_URL");
    let (base, _) =
        server.rsplit_once('/').filter(|(b, _)| b.contains('@')).unwrap_or((&server, ""));
    format!("{base}/{name}")
}
