//! All SQL of charges: a change, its answer and its webhooks commit together.

use serde_json::json;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::charge::{Charge, StepError};
use crate::config::WebhookConfig;
use crate::courier::Bell;

/// Something that changes a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Create { reference: String, amount_minor: i64, currency: String, failure: Option<&'static str> },
    Capture { id: String },
    Void { id: String },
    Refund { id: String, amount_minor: i64, reference: Option<String> },
}

/// What a command came to; kept under its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: String,
    /// It was given before, to the first request with the key.
    pub repeated: bool,
}

/// Why something was not done. Nothing has changed, and the key is free.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is no such charge")]
    NotFound,
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error(transparent)]
    Step(#[from] StepError),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// The sandbox's database.
pub struct Store {
    pool: PgPool,
    webhooks: WebhookConfig,
    bell: Bell,
}

const CHARGE: &str = "select id, reference, amount_minor, currency, state, failure_code, \
     refunded_minor, created_at from charges where id = $1";
const CHARGE_LOCKED: &str = "select id, reference, amount_minor, currency, state, failure_code, \
     refunded_minor, created_at from charges where id = $1 for update";

impl Store {
    pub fn new(pool: PgPool, webhooks: WebhookConfig, bell: Bell) -> Self {
        Self { pool, webhooks, bell }
    }

    /// Carries a command out once per key: a second request with the same key and
    /// fingerprint gets the first one's answer.
    pub async fn once(
        &self,
        key: &str,
        fingerprint: &[u8],
        command: &Command,
    ) -> Result<Answer, StoreError> {
        let mut tx = postgres::begin(&self.pool).await?;
        // Waits here while another request with the same key is at work.
        let claimed = sqlx::query(
            "insert into answers (key, fingerprint) values ($1, $2) on conflict do nothing",
        )
        .bind(key)
        .bind(fingerprint)
        .execute(&mut *tx)
        .await?;
        if claimed.rows_affected() == 0 {
            return earlier_answer(&mut tx, key, fingerprint).await;
        }
        let charge = self.execute(&mut tx, command).await?;
        let answer = answer(command, &charge);
        sqlx::query("update answers set status = $2, body = $3 where key = $1")
            .bind(key)
            .bind(i16::try_from(answer.status).unwrap_or_default())
            .bind(&answer.body)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        metrics::counter!("sandbox_charge_events_total", "type" => charge.event_type())
            .increment(1);
        self.bell.ring();
        Ok(answer)
    }

    /// A charge.
    pub async fn charge(&self, id: &str) -> Result<Charge, StoreError> {
        let found: Option<Charge> =
            sqlx::query_as(CHARGE).bind(id).fetch_optional(&self.pool).await?;
        found.ok_or(StoreError::NotFound)
    }

    async fn execute(
        &self,
        conn: &mut PgConnection,
        command: &Command,
    ) -> Result<Charge, StoreError> {
        let charge = match command {
            Command::Create { reference, amount_minor, currency, failure } => {
                let now = types::now();
                let charge = Charge::new(reference, *amount_minor, currency, *failure, now);
                insert(conn, &charge).await?;
                charge
            }
            Command::Capture { id } => step(conn, id, Charge::capture).await?,
            Command::Void { id } => step(conn, id, Charge::void).await?,
            Command::Refund { id, amount_minor, reference } => {
                let charge = step(conn, id, |charge| charge.refund(*amount_minor)).await?;
                insert_refund(conn, id, *amount_minor, reference.as_deref()).await?;
                charge
            }
        };
        self.enqueue(conn, &charge).await?;
        Ok(charge)
    }

    async fn enqueue(&self, conn: &mut PgConnection, charge: &Charge) -> Result<(), sqlx::Error> {
        let body = event(charge, types::now());
        for _ in 0..=self.webhooks.webhook_duplicates {
            sqlx::query("insert into webhooks (id, body, due_at) values ($1, $2, $3)")
                .bind(Uuid::now_v7())
                .bind(&body)
                .bind(types::now() + self.webhooks.delay())
                .execute(&mut *conn)
                .await?;
        }
        Ok(())
    }
}

/// The body of a webhook.
fn event(charge: &Charge, now: OffsetDateTime) -> String {
    json!({
        "id": format!("evt_{}", Uuid::now_v7().simple()),
        "type": charge.event_type(),
        "created": now.unix_timestamp(),
        "data": {
            "charge_id": charge.id,
            "reference": charge.reference,
            "amount_minor": charge.amount_minor,
            "currency": charge.currency,
            "refunded_minor": charge.refunded_minor,
            "state": charge.state,
            "failure_code": charge.failure_code,
        },
    })
    .to_string()
}

fn answer(command: &Command, charge: &Charge) -> Answer {
    if let Some(code) = &charge.failure_code {
        let error = json!({
            "code": code,
            "message": "the means of payment was refused",
            "charge_id": charge.id,
        });
        let body = json!({ "error": error }).to_string();
        return Answer { status: 402, body, repeated: false };
    }
    let status = if matches!(command, Command::Create { .. }) { 201 } else { 200 };
    Answer { status, body: json!(charge).to_string(), repeated: false }
}

async fn earlier_answer(
    conn: &mut PgConnection,
    key: &str,
    fingerprint: &[u8],
) -> Result<Answer, StoreError> {
    let (first, status, body): (Vec<u8>, i16, String) =
        sqlx::query_as("select fingerprint, status, body from answers where key = $1")
            .bind(key)
            .fetch_one(conn)
            .await?;
    if first != fingerprint {
        return Err(StoreError::KeyReused);
    }
    Ok(Answer { status: u16::try_from(status).unwrap_or(500), body, repeated: true })
}

async fn insert(conn: &mut PgConnection, charge: &Charge) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into charges
             (id, reference, amount_minor, currency, state, failure_code, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&charge.id)
    .bind(&charge.reference)
    .bind(charge.amount_minor)
    .bind(&charge.currency)
    .bind(charge.state)
    .bind(&charge.failure_code)
    .bind(charge.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

async fn insert_refund(
    conn: &mut PgConnection,
    charge_id: &str,
    amount_minor: i64,
    reference: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into refunds (id, charge_id, reference, amount_minor, created_at)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(format!("re_{}", Uuid::now_v7().simple()))
    .bind(charge_id)
    .bind(reference)
    .bind(amount_minor)
    .bind(types::now())
    .execute(conn)
    .await?;
    Ok(())
}

async fn step(
    conn: &mut PgConnection,
    id: &str,
    step: impl FnOnce(&mut Charge) -> Result<(), StepError>,
) -> Result<Charge, StoreError> {
    let found: Option<Charge> =
        sqlx::query_as(CHARGE_LOCKED).bind(id).fetch_optional(&mut *conn).await?;
    let mut charge = found.ok_or(StoreError::NotFound)?;
    step(&mut charge)?;
    sqlx::query(
        "update charges set state = $2, refunded_minor = $3, updated_at = now() where id = $1",
    )
    .bind(&charge.id)
    .bind(charge.state)
    .bind(charge.refunded_minor)
    .execute(conn)
    .await?;
    Ok(charge)
}
