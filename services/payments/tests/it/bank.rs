//! The provider in a test: the sandbox or the double of Stripe, seen from its side of
//! the counter.

use std::net::SocketAddr;

use serde_json::{Value, json};
use testkit::TestDatabase;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::door::Letter;
use crate::stripe_double::StripeDouble;
use crate::world::{API_KEY, WEBHOOK_SECRET};

/// Where money is.
pub enum Bank {
    Sandbox { database: TestDatabase, addr: SocketAddr },
    Stripe(StripeDouble),
}

/// A charge as the provider has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankCharge {
    pub id: String,
    pub payment_id: Uuid,
    /// In the sandbox's words.
    pub state: String,
    pub captured_minor: i64,
    pub refunded_minor: i64,
}

type Row = (String, String, String, i64, i64);

impl Bank {
    /// A card that pays.
    pub fn good_card(&self) -> &'static str {
        match self {
            Self::Sandbox { .. } => "tok_visa",
            Self::Stripe(_) => "pm_card_visa",
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Sandbox { .. } => "sandbox",
            Self::Stripe(_) => "stripe",
        }
    }

    pub fn addr(&self) -> SocketAddr {
        match self {
            Self::Sandbox { addr, .. } => *addr,
            Self::Stripe(double) => double.addr,
        }
    }

    /// Idempotency keys are forgotten, as after some days.
    pub async fn forget_keys(&self) {
        match self {
            Self::Stripe(double) => double.forget_keys(),
            Self::Sandbox { database, .. } => {
                sqlx::query("delete from answers").execute(&database.pool).await.unwrap();
            }
        }
    }

    /// Every charge, the oldest first.
    pub async fn charges(&self) -> Vec<BankCharge> {
        match self {
            Self::Sandbox { database, .. } => {
                let rows: Vec<Row> = sqlx::query_as(
                    "select id, reference, state, amount_minor, refunded_minor
                     from charges order by id",
                )
                .fetch_all(&database.pool)
                .await
                .unwrap();
                rows.into_iter().map(of_sandbox).collect()
            }
            Self::Stripe(double) => double.intents().iter().map(of_stripe).collect(),
        }
    }

    /// What it would tell about a payment now, not signed yet.
    pub async fn event(&self, payment_id: Uuid) -> Value {
        let id = format!("evt_{}", Uuid::now_v7().simple());
        match self {
            Self::Sandbox { database, .. } => {
                let (kind, data): (String, sqlx::types::Json<Value>) = sqlx::query_as(
                    "select 'charge.' || replace(state, 'partially_', ''),
                         json_build_object('charge_id', id, 'reference', reference,
                             'amount_minor', amount_minor, 'currency', currency,
                             'refunded_minor', refunded_minor, 'state', state,
                             'failure_code', failure_code)
                     from charges where reference = $1",
                )
                .bind(payment_id.to_string())
                .fetch_one(&database.pool)
                .await
                .unwrap();
                json!({ "id": id, "type": kind, "created": 1, "data": data.0 })
            }
            Self::Stripe(double) => {
                let (kind, object) = double.news(payment_id);
                json!({ "id": id, "type": kind, "data": { "object": object } })
            }
        }
    }

    /// Takes the money of a charge without our asking.
    pub async fn capture_by_hand(&self, charge_id: &str) {
        let path = match self {
            Self::Sandbox { .. } => format!("v1/charges/{charge_id}/capture"),
            Self::Stripe(_) => format!("v1/payment_intents/{charge_id}/capture"),
        };
        self.post_by_hand(&path, &[]).await;
    }

    /// Gives money of a charge back without our asking.
    pub async fn refund_by_hand(&self, charge_id: &str, amount: i64) {
        let amount = amount.to_string();
        match self {
            Self::Sandbox { .. } => {
                let path = format!("v1/charges/{charge_id}/refunds");
                self.post_by_hand(&path, &[("amount_minor", &amount)]).await;
            }
            Self::Stripe(_) => {
                let form = [("payment_intent", charge_id), ("amount", &amount)];
                self.post_by_hand("v1/refunds", &form).await;
            }
        }
    }

    /// Half an hour ago, EUR 10.00 were set aside for each of these payments, under
    /// each of these ids.
    pub async fn charge_by_hand(&self, made: &[(String, String)]) {
        match self {
            Self::Stripe(double) => double.put(made),
            Self::Sandbox { database, .. } => {
                let (payments, charges): (Vec<_>, Vec<_>) = made.iter().cloned().unzip();
                sqlx::query(
                    "insert into charges
                         (id, reference, amount_minor, currency, state, created_at)
                     select c, p, 1000, 'EUR', 'authorized', now() - interval '30 minutes'
                     from unnest($1::text[], $2::text[]) as made (p, c)",
                )
                .bind(payments)
                .bind(charges)
                .execute(&database.pool)
                .await
                .unwrap();
            }
        }
    }

    async fn post_by_hand(&self, path: &str, fields: &[(&str, &str)]) {
        let url = format!("http://{}/{path}", self.addr());
        let request = reqwest::Client::new().post(url).bearer_auth(API_KEY);
        let request = request.header("idempotency-key", Uuid::now_v7().to_string());
        let request = match self {
            Self::Sandbox { .. } => {
                let number =
                    |(n, v): &(&str, &str)| ((*n).to_owned(), json!(v.parse::<i64>().unwrap()));
                let body: serde_json::Map<_, _> = fields.iter().map(number).collect();
                request.json(&body)
            }
            Self::Stripe(_) => request.form(fields),
        };
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    }
}

fn of_sandbox((id, reference, state, amount, refunded_minor): Row) -> BankCharge {
    let taken = ["captured", "partially_refunded", "refunded"].contains(&state.as_str());
    let captured_minor = if taken { amount } else { 0 };
    let payment_id = reference.parse().unwrap();
    BankCharge { id, payment_id, state, captured_minor, refunded_minor }
}

fn of_stripe(intent: &Value) -> BankCharge {
    let captured_minor = intent["amount_received"].as_i64().unwrap();
    let refunded_minor = intent["latest_charge"]["amount_refunded"].as_i64().unwrap();
    let state = match intent["status"].as_str().unwrap() {
        "requires_capture" => "authorized",
        "canceled" => "voided",
        "requires_payment_method" => "declined",
        "succeeded" if refunded_minor == captured_minor => "refunded",
        "succeeded" if refunded_minor > 0 => "partially_refunded",
        "succeeded" => "captured",
        other => panic!("{other}"),
    };
    BankCharge {
        id: intent["id"].as_str().unwrap().to_owned(),
        payment_id: intent["metadata"]["payment_id"].as_str().unwrap().parse().unwrap(),
        state: state.to_owned(),
        captured_minor,
        refunded_minor,
    }
}

/// A letter that the provider has signed some seconds ago; both sign alike.
pub fn signed(body: &[u8], secret: &str, seconds_ago: i64) -> Letter {
    let seconds = OffsetDateTime::now_utc().unix_timestamp() - seconds_ago;
    Letter { signature: sandbox::signature::sign(secret, seconds, body), body: body.to_vec() }
}

/// A letter that the provider has just sent.
pub fn from_provider(event: &Value) -> Letter {
    signed(event.to_string().as_bytes(), WEBHOOK_SECRET, 0)
}
