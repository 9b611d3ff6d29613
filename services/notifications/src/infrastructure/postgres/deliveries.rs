//! The e-mails that are to be handed over.

use async_trait::async_trait;
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::{Deliveries, Leased, Taken};
use crate::domain::{Contact, DeliveryState, Kind, Text, Verdict};

/// Deliveries in PostgreSQL.
pub struct PostgresDeliveries {
    pool: PgPool,
}

impl PostgresDeliveries {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[derive(sqlx::FromRow)]
struct TakenRow {
    notification_id: Uuid,
    attempts: i32,
    wanted: bool,
    kind: String,
    about_id: Uuid,
    user_id: Uuid,
    email: String,
    display_name: String,
    subject: String,
    body: String,
    created_at: OffsetDateTime,
    traceparent: Option<String>,
}

impl TryFrom<TakenRow> for Leased {
    type Error = Error;

    fn try_from(row: TakenRow) -> Result<Self, Error> {
        let TakenRow { notification_id, attempts, wanted: _, kind, about_id, user_id, .. } = row;
        let TakenRow { email, display_name, subject, body, created_at, traceparent, .. } = row;
        let unknown = || Error::internal(format!("`{kind}` is stored but not known"));
        Ok(Self {
            notification_id,
            kind: Kind::from_name(&kind).ok_or_else(unknown)?,
            about_id,
            attempt: attempts,
            to: Contact { user_id, email, display_name },
            text: Text { subject, body },
            created_at,
            traceparent,
        })
    }
}

/// Locks what is due for this statement only; the lease outlives it.
const TAKE: &str = "
    with due as (
        select d.notification_id, d.mandatory or coalesce(p.email, true) as wanted, n.kind,
               n.about_id, n.user_id, c.email, c.display_name, n.subject, n.body, n.created_at
        from deliveries d
        join notifications n on n.id = d.notification_id
        join contacts c on c.user_id = n.user_id
        left join preferences p on p.user_id = n.user_id
        where d.state = 'pending' and d.next_attempt_at <= $1
            and (d.leased_until is null or d.leased_until <= $1)
        order by d.next_attempt_at
        limit $3
        for update of d skip locked
    )
    update deliveries d
    set state = case when due.wanted then 'pending' else 'suppressed' end,
        attempts = d.attempts + case when due.wanted then 1 else 0 end,
        leased_until = case when due.wanted then $2 end,
        updated_at = $1
    from due
    where d.notification_id = due.notification_id
    returning d.notification_id, d.attempts, due.wanted, due.kind, due.about_id, due.user_id,
              due.email, due.display_name, due.subject, due.body, due.created_at,
              d.traceparent";

/// What settling changes.
struct Settlement<'v> {
    state: DeliveryState,
    next_attempt_at: OffsetDateTime,
    error: Option<&'v str>,
    /// Attempts that do not count.
    forgiven: i32,
}

impl<'v> Settlement<'v> {
    fn of(verdict: &'v Verdict, now: OffsetDateTime) -> Self {
        let (state, next_attempt_at, error, forgiven) = match verdict {
            Verdict::Sent => (DeliveryState::Sent, now, None, 0),
            Verdict::Retry { at, error } => (DeliveryState::Pending, *at, Some(error), 0),
            Verdict::GiveUp { error } => (DeliveryState::Failed, now, Some(error), 0),
            Verdict::PutBack { error } => (DeliveryState::Pending, now, Some(error), 1),
            Verdict::Postpone { at, error } => (DeliveryState::Pending, *at, Some(error), 1),
        };
        Self { state, next_attempt_at, error: error.map(String::as_str), forgiven }
    }
}

#[async_trait]
impl Deliveries for PostgresDeliveries {
    async fn take(&self, now: OffsetDateTime, lease: Duration, limit: i64) -> Result<Taken, Error> {
        let rows = sqlx::query_as::<_, TakenRow>(TAKE)
            .bind(now)
            .bind(now + lease)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        let (wanted, unwanted): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.wanted);
        let mails = wanted.into_iter().map(Leased::try_from).collect::<Result<_, _>>()?;
        Ok(Taken { mails, suppressed: unwanted.len() })
    }

    async fn settle(
        &self,
        mail: &Leased,
        verdict: &Verdict,
        now: OffsetDateTime,
    ) -> Result<bool, Error> {
        let Settlement { state, next_attempt_at, error, forgiven } = Settlement::of(verdict, now);
        let settled = sqlx::query(
            "update deliveries
             set state = $3, next_attempt_at = $4, last_error = left($5, 500),
                 attempts = attempts - $6, leased_until = null, updated_at = $7
             where notification_id = $1 and attempts = $2 and state = 'pending'",
        )
        .bind(mail.notification_id)
        .bind(mail.attempt)
        .bind(state.name())
        .bind(next_attempt_at)
        .bind(error)
        .bind(forgiven)
        .bind(now)
        .execute(&self.pool)
        .await?;
        Ok(settled.rows_affected() == 1)
    }

    async fn pending(&self) -> Result<i64, Error> {
        let count = sqlx::query_scalar("select count(*) from deliveries where state = 'pending'");
        Ok(count.fetch_one(&self.pool).await?)
    }
}
