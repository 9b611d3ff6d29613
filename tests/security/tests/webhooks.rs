//! Webhooks that the provider did not send, not now, or not like this.

use e2e::client::{Answer, send};
use e2e::platform::Platform;
use e2e::world::bought;
use reqwest::Method;
use sandbox::signature::{HEADER, sign};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::arena::attack;
use crate::table::Table;

/// The provider's hooks.
struct Hooks<'a> {
    platform: &'a Platform,
    secret: String,
    now: i64,
}

impl<'a> Hooks<'a> {
    fn of(platform: &'a Platform) -> Self {
        let secret = platform.stack.layout().secret("sandbox-webhook").unwrap();
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        Self { platform, secret, now: i64::try_from(now).unwrap() }
    }

    fn signed(&self, event: &str) -> String {
        sign(&self.secret, self.now, event.as_bytes())
    }

    async fn send(&self, signatures: &[String], event: &str) -> Answer {
        let client = self.platform.anonymous();
        let request = client.request(Method::POST, "/v1/payments/webhooks/sandbox");
        let request = request.header("content-type", "application/json");
        let request = signatures.iter().fold(request, |r, signature| r.header(HEADER, signature));
        send(request.body(event.to_owned())).await
    }
}

/// An event of a kind that is noted and ignored.
fn event(id: &str) -> String {
    json!({"id": id, "type": "account.updated", "data": {}}).to_string()
}

#[test]
fn a_webhook_with_a_forged_or_old_signature_is_refused() {
    attack(async |platform| {
        let mut table = Table::new("webhook-signatures");
        let hooks = Hooks::of(platform);
        let event = event(&format!("evt_{}", Uuid::now_v7().simple()));
        let good = hooks.signed(&event);
        let (time, hex) = good.split_once(",v1=").unwrap();
        let at = |seconds| sign(&hooks.secret, hooks.now + seconds, event.as_bytes());
        let cases = [
            ("no signature", vec![]),
            ("an empty one", vec![String::new()]),
            ("another secret", vec![sign("guessed", hooks.now, event.as_bytes())]),
            ("an empty secret", vec![sign("", hooks.now, event.as_bytes())]),
            ("of six minutes ago", vec![at(-360)]),
            ("of six minutes from now", vec![at(360)]),
            ("of 1970", vec![sign(&hooks.secret, 0, event.as_bytes())]),
            (
                "an old one under a new time",
                vec![format!("{time},v1={}", at(-360).rsplit('=').next().unwrap())],
            ),
            ("of another body", vec![hooks.signed("{}")]),
            ("half of it", vec![format!("{time},v1={}", &hex[..32])]),
            ("zeros", vec![format!("{time},v1={}", "0".repeat(64))]),
            ("without a time", vec![format!("v1={hex}")]),
            ("a time that is no number", vec![format!("t=now,v1={hex}")]),
            ("a time beyond 64 bits", vec![format!("t=99999999999999999999,v1={hex}")]),
            ("another scheme", vec![format!("{time},v0={hex}")]),
            ("two times, the old one first", vec![format!("t=0,{good}")]),
            ("in base64", vec![format!("{time},v1=AAAA")]),
        ];
        for (what, signatures) in cases {
            let answer = hooks.send(&signatures, &event).await;
            let got = (answer.status.as_u16(), answer.reason().to_owned());
            let sent = signatures.join("; ");
            table.same(what, &sent, (401, "WEBHOOK_SIGNATURE_INVALID".to_owned()), got);
        }
        let changed = event.replace("updated", "deleted");
        let answer = hooks.send(std::slice::from_ref(&good), &changed).await;
        table.same("a changed body", &changed, 401, answer.status.as_u16());
        let honest = hooks.send(std::slice::from_ref(&good), &event).await;
        table.same("the provider's own", &event, 200, honest.status.as_u16());
        table.end();
    });
}

#[test]
fn a_webhook_that_is_sent_again_has_no_second_effect() {
    attack(async |platform| {
        let mut table = Table::new("webhook-replay");
        let hooks = Hooks::of(platform);
        let product = platform.admin.product(2_000, 10).await;
        let customer = platform.anonymous().register().await;
        let order = bought(&customer, &product).await;
        let payment = order["payment_id"].as_str().unwrap();
        let event = captured(platform, payment).await;
        let signature = hooks.signed(&event);
        let mut ledgers = Vec::new();
        for round in 0..3 {
            let answer = hooks.send(std::slice::from_ref(&signature), &event).await;
            table.same(&format!("sending number {round}"), &event, 200, answer.status.as_u16());
            ledgers.push(ledger(platform, payment).await);
        }
        table.same("the ledger", "the same event again", ledgers[0], ledgers[2]);
        let renamed = event.replacen("\"evt_", "\"evt_again_", 1);
        let answer = hooks.send(&[hooks.signed(&renamed)], &renamed).await;
        table.same("under another id", &renamed, 200, answer.status.as_u16());
        table.same("the ledger", "under another id", ledgers[0], ledger(platform, payment).await);
        let shown = customer.client.get(&format!("/v1/payments/{payment}")).await.ok();
        table.same("the payment", payment, json!("PAYMENT_STATE_CAPTURED"), shown["state"].clone());
        table.end();
    });
}

/// What the provider says when it has taken a payment's money.
async fn captured(platform: &Platform, payment: &str) -> String {
    let mut database = database(platform).await;
    let sql = "select provider_charge_id, amount_minor, currency from payments where id = $1";
    let id: Uuid = payment.parse().unwrap();
    let (charge, amount, currency): (String, i64, String) =
        sqlx::query_as(sql).bind(id).fetch_one(&mut database).await.unwrap();
    let data: Value = json!({
        "charge_id": charge,
        "reference": payment,
        "amount_minor": amount,
        "currency": currency.trim(),
        "refunded_minor": 0,
        "state": "captured",
    });
    let id = format!("evt_{}", Uuid::now_v7().simple());
    json!({"id": id, "type": "charge.captured", "data": data}).to_string()
}

/// How many entries the ledger has for a payment, and the sum of their debits.
async fn ledger(platform: &Platform, payment: &str) -> (i64, i64) {
    let mut database = database(platform).await;
    let id: Uuid = payment.parse().unwrap();
    let sql = "select count(*), coalesce(sum(debit_minor), 0)::bigint from ledger_entries e
               join ledger_transactions t on t.id = e.transaction_id where t.payment_id = $1";
    sqlx::query_as(sql).bind(id).fetch_one(&mut database).await.unwrap()
}

async fn database(platform: &Platform) -> PgConnection {
    let url = platform.stack.postgres_url("payments").unwrap();
    PgConnection::connect(&url).await.unwrap()
}
