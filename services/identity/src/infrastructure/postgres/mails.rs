//! Mails with tokens in them, asked for.

use async_trait::async_trait;
use proto::identity::v1 as pb;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{families, security_events, users};
use crate::core::Error;
use crate::core::ports::Mails;
use crate::domain::{Event, MailPurpose, MailRequest, TokenHash};

/// Requests for mails in PostgreSQL.
pub struct PostgresMails {
    pool: PgPool,
}

impl PostgresMails {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl Mails for PostgresMails {
    async fn ask(&self, request: &MailRequest, since: OffsetDateTime) -> Result<bool, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let asked = ask(&mut tx, request, since).await?;
        tx.commit().await?;
        Ok(asked)
    }

    async fn ask_for_reset(
        &self,
        email: &str,
        since: OffsetDateTime,
        event: &Event,
    ) -> Result<(), Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let user = users::by_email(&mut tx, email).await?;
        let event = Event { user, ..event.clone() };
        if let Some(user) = user {
            let request = MailRequest::new(user, MailPurpose::ResetPassword, event.at);
            ask(&mut tx, &request, since).await?;
        }
        // Also where there is nobody: either way something is written and committed.
        security_events::record(&mut tx, &event).await?;
        Ok(tx.commit().await?)
    }

    async fn mint(
        &self,
        request: Uuid,
        token: TokenHash,
        now: OffsetDateTime,
    ) -> Result<Option<OffsetDateTime>, Error> {
        let minted = sqlx::query_scalar(
            "update mail_requests set token_hash = $2 where id = $1 and expires_at > $3
             returning expires_at",
        )
        .bind(request)
        .bind(token.0.as_slice())
        .bind(now)
        .fetch_optional(&self.pool)
        .await?;
        Ok(minted)
    }

    async fn holder(
        &self,
        token: TokenHash,
        purpose: MailPurpose,
        now: OffsetDateTime,
    ) -> Result<Option<Uuid>, Error> {
        let holder = sqlx::query_scalar(
            "select user_id from mail_requests
             where token_hash = $1 and purpose = $2 and expires_at > $3",
        )
        .bind(token.0.as_slice())
        .bind(purpose.name())
        .bind(now)
        .fetch_optional(&self.pool)
        .await?;
        Ok(holder)
    }

    async fn verify_email(&self, token: TokenHash, event: &Event) -> Result<bool, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let Some(user) = take(&mut tx, token, MailPurpose::VerifyEmail, event.at).await? else {
            return Ok(false);
        };
        sqlx::query("update users set email_verified_at = $2 where id = $1")
            .bind(user)
            .bind(event.at)
            .execute(&mut *tx)
            .await?;
        security_events::record(&mut tx, event).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn forget(&self, limit: OffsetDateTime) -> Result<(), Error> {
        sqlx::query("delete from mail_requests where expires_at < $1")
            .bind(limit)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn reset_password(
        &self,
        token: TokenHash,
        password_hash: &SecretString,
        event: &Event,
    ) -> Result<bool, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let Some(user) = take(&mut tx, token, MailPurpose::ResetPassword, event.at).await? else {
            return Ok(false);
        };
        // Whoever read the mail has proven the address, too.
        sqlx::query(
            "update users set password_hash = $2, version = version + 1,
                 email_verified_at = coalesce(email_verified_at, $3)
             where id = $1 and closed_at is null",
        )
        .bind(user)
        .bind(password_hash.expose_secret())
        .bind(event.at)
        .execute(&mut *tx)
        .await?;
        families::end_all(&mut tx, user, None, event.at).await?;
        security_events::record(&mut tx, event).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Asks for a mail; it replaces an older request of its kind.
pub(super) async fn ask(
    connection: &mut PgConnection,
    request: &MailRequest,
    since: OffsetDateTime,
) -> Result<bool, Error> {
    let asked = sqlx::query(
        "insert into mail_requests (id, user_id, purpose, created_at, expires_at)
         values ($1, $2, $3, $4, $5)
         on conflict on constraint mail_requests_purpose_key do update set
             id = excluded.id, token_hash = null, created_at = excluded.created_at,
             expires_at = excluded.expires_at
         where mail_requests.created_at <= $6",
    )
    .bind(request.id)
    .bind(request.user)
    .bind(request.purpose.name())
    .bind(request.created_at)
    .bind(request.expires_at())
    .bind(since)
    .execute(&mut *connection)
    .await?;
    if asked.rows_affected() == 0 {
        return Ok(false);
    }
    let purpose = match request.purpose {
        MailPurpose::VerifyEmail => pb::MailPurpose::VerifyEmail,
        MailPurpose::ResetPassword => pb::MailPurpose::ResetPassword,
    };
    let fact = pb::MailTokenRequested {
        mail_request_id: request.id.to_string(),
        user_id: request.user.to_string(),
        purpose: purpose.into(),
    };
    events::publish(connection, &fact).await?;
    Ok(true)
}

/// Takes a token: it works once.
async fn take(
    connection: &mut PgConnection,
    token: TokenHash,
    purpose: MailPurpose,
    now: OffsetDateTime,
) -> Result<Option<Uuid>, Error> {
    let taken = sqlx::query_scalar(
        "delete from mail_requests where token_hash = $1 and purpose = $2 and expires_at > $3
         returning user_id",
    )
    .bind(token.0.as_slice())
    .bind(purpose.name())
    .bind(now)
    .fetch_optional(connection)
    .await?;
    Ok(taken)
}
