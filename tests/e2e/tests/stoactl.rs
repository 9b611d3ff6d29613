//! An operator at a terminal: finds a saga that is stuck, has it tried again, gives it
//! up, and is remembered with the reason.

use std::process::Output;

use proto::Fact as _;
use proto::orders::v1::OrderFailed;
use serde_json::Value;
use sqlx::Connection as _;
use tokio::process::Command;
use uuid::Uuid;

use crate::client::{Customer, order};
use crate::platform::{Platform, eventually, with_platform};

/// Runs `stoactl` against the platform, as its administrator unless there is a token.
async fn stoactl(platform: &Platform, token: Option<&str>, arguments: &[&str]) -> Output {
    let options = platform.stack.options();
    let mut command = Command::new(options.bin_dir.join("stoactl"));
    command.arg("--state").arg(&options.state).args(arguments);
    command.envs(token.map(|token| ("STOA_TOKEN", token)));
    command.output().await.expect("stoactl is built: `cargo build --workspace --bins`")
}

/// What it answers when all is well.
pub async fn told(platform: &Platform, arguments: &[&str]) -> String {
    let output = stoactl(platform, None, arguments).await;
    let (text, error) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {error}");
    text
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An order whose payment provider is away; its saga tries again and again.
async fn stuck_order(platform: &Platform) -> (Customer, String) {
    let product = platform.admin.product(2_500, 5).await;
    let customer = platform.anonymous().register().await;
    customer.put_in_cart(&product, 2).await;
    let request = customer.client.request(reqwest::Method::POST, "/v1/orders");
    let request = request.header("idempotency-key", Uuid::now_v7().to_string());
    tokio::spawn(request.json(&order("tok_unavailable")).send());
    let id = eventually("the order is written down", async || {
        let orders = customer.client.get("/v1/orders").await.ok();
        Some(orders["orders"][0]["order_id"].as_str()?.to_owned())
    })
    .await;
    (customer, id)
}

#[test]
fn stoactl_lists_retries_and_compensates_a_stuck_saga_and_tells_who_and_why() {
    with_platform(async |platform| {
        let (customer, id) = stuck_order(&platform).await;
        eventually("stoactl lists the saga with what went wrong", async || {
            let list: Value =
                serde_json::from_str(&told(&platform, &["sagas", "list", "--json"]).await).unwrap();
            let sagas = list["sagas"].as_array().unwrap();
            let saga = sagas.iter().find(|saga| saga["order_id"] == id.as_str())?.clone();
            (saga["attempts"].as_i64()? > 0 && saga["last_error"] != "").then_some(())
        })
        .await;
        assert!(told(&platform, &["sagas", "list"]).await.contains("checkout forward at pay"));

        let metrics = format!("{}/metrics", platform.stack.service_admin_url("orders"));
        eventually("the oldest saga's age is measured", async || {
            let text = reqwest::get(&metrics).await.ok()?.text().await.ok()?;
            let gauge = |name: &str| {
                let line = text.lines().find(|line| line.starts_with(&format!("{name} ")))?;
                line.rsplit(' ').next()?.parse::<f64>().ok()
            };
            gauge("sagas_overdue")?;
            (gauge("sagas_oldest_age_seconds")? > 0.0).then_some(())
        })
        .await;

        let why = "the provider says it is back";
        told(&platform, &["sagas", "retry", &id, "--why", why]).await;
        let given_up = "the customer was called";
        told(&platform, &["sagas", "compensate", &id, "--why", given_up]).await;
        eventually("the order has failed", async || {
            let order = customer.client.get(&format!("/v1/orders/{id}")).await.ok();
            let ended = order["state"] == "ORDER_STATE_FAILED";
            ended.then(|| assert_eq!(order["failure_reason"], "CANCELLED_BY_OPERATOR"))
        })
        .await;

        let me = platform.admin.client.get("/v1/users/me").await.ok();
        let me = me["user_id"].as_str().unwrap();
        let shown = told(&platform, &["sagas", "show", &id]).await;
        for part in [me, "saga.retry", why, "saga.compensate", given_up, "goes backward from pay"] {
            assert!(shown.contains(part), "no {part}: {shown}");
        }
        let row = |action: &str, why: &str| (me.to_owned(), action.to_owned(), why.to_owned());
        let rows = remembered(&platform, "orders", &id).await;
        assert_eq!(rows, [row("saga.retry", why), row("saga.compensate", given_up)]);
    });
}

/// Who did what to something, and why, as the service's database has it.
async fn remembered(
    platform: &Platform,
    service: &str,
    target: &str,
) -> Vec<(String, String, String)> {
    let url = platform.stack.postgres_url(service).unwrap();
    let mut database = sqlx::PgConnection::connect(&url).await.unwrap();
    let sql = "select actor::text, action, why from operator_actions where target = $1 order by id";
    sqlx::query_as(sql).bind(target).fetch_all(&mut database).await.unwrap()
}

#[test]
fn stoactl_shows_dead_letters_and_remembers_who_put_them_back() {
    with_platform(async |platform| {
        let topic = OrderFailed::INFO.topic;
        let dead = told(&platform, &["facts", "dead", "--topic", topic]).await;
        assert_eq!(dead.split_whitespace().collect::<Vec<_>>(), ["TOPIC", "DEAD", topic, "0"]);

        // Nothing is dead; that somebody tried is written down all the same.
        let why = format!("the template is fixed {}", Uuid::now_v7());
        let answer = told(&platform, &["facts", "redrive", topic, "--why", &why]).await;
        assert_eq!(answer.trim(), "0 put back");
        let me = platform.admin.client.get("/v1/users/me").await.ok();
        let me = me["user_id"].as_str().unwrap().to_owned();
        let queue = events::dead_letter_queue(&events::queue("notifications", topic));
        let rows = remembered(&platform, "notifications", &queue).await;
        let row = rows.iter().find(|row| row.2 == why).expect("the redrive with its reason");
        assert_eq!((&row.0, row.1.as_str()), (&me, "facts.redrive"));
    });
}

#[test]
fn stoactl_tells_what_is_refused_and_fails() {
    with_platform(async |platform| {
        let nowhere = Uuid::now_v7().to_string();
        let customer = platform.anonymous().register().await;
        let token = customer.session["access_token"].as_str().unwrap();
        let (show, retry) = (["sagas", "show", &nowhere], ["sagas", "retry", &nowhere]);
        let without_words = ["sagas", "retry", &nowhere, "--why", ""];
        let no_topic = ["facts", "dead", "--topic", "orders.v1.order_lost"];
        for (token, arguments, code, part) in [
            (None, &show[..], 1, "SAGA_NOT_FOUND"),
            (None, &retry[..], 2, "--why"),
            (None, &without_words[..], 1, "\n  reason: "),
            (None, &no_topic[..], 1, "TOPIC_NOT_FOUND"),
            (Some(token), &show[..], 1, "PERMISSION_DENIED"),
            (Some(token), &["facts", "dead"][..], 1, "PERMISSION_DENIED"),
            (Some("nonsense"), &show[..], 1, "TOKEN_INVALID"),
        ] {
            let output = stoactl(&platform, token, arguments).await;
            let error = text(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
            assert!(error.contains(part) && output.stdout.is_empty(), "{arguments:?}: {error}");
        }
    });
}
