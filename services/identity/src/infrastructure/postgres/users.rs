//! Accounts.

mod rows;

use async_trait::async_trait;
use proto::identity::v1::UserRegistered;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use self::rows::{CredentialsRow, SELECT, UserRow};
use super::{custom_roles, families, mails, security_events};
use crate::core::Error;
use crate::core::ports::{Credentials, Refusal, Users};
use crate::domain::{Event, EventKind, MailRequest, NewToken, Origin, RoleNames, RuleBroken, User};

/// Accounts in PostgreSQL.
pub struct PostgresUsers {
    pool: PgPool,
}

impl PostgresUsers {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl Users for PostgresUsers {
    async fn add(
        &self,
        user: &User,
        password_hash: &SecretString,
        first: Option<(&NewToken, &MailRequest)>,
        origin: &Origin,
    ) -> Result<Option<Uuid>, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        insert(&mut tx, user, password_hash).await?;
        let fact = UserRegistered {
            user_id: user.id.to_string(),
            email: user.email.clone(),
            display_name: user.display_name.clone(),
        };
        events::publish(&mut tx, &fact).await?;
        let mut session = None;
        if let Some((first, mail)) = first {
            let agent = &origin.user_agent;
            session = Some(families::start(&mut tx, user.id, first, agent).await?);
            mails::ask(&mut tx, mail, mail.created_at).await?;
        }
        let kind = EventKind::AccountRegistered;
        let event = Event::of(kind, user.id, user.created_at, origin);
        security_events::record(&mut tx, &event).await?;
        tx.commit().await?;
        Ok(session)
    }

    async fn credentials(&self, email: &str) -> Result<Option<Credentials>, Error> {
        // PostgreSQL's text cannot hold it, so no account has it.
        if email.contains('\0') {
            return Ok(None);
        }
        let sql = format!("{SELECT} and lower(email) = lower($1)");
        let row = sqlx::query_as::<_, CredentialsRow>(AssertSqlSafe(sql))
            .bind(email)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(Credentials::from))
    }

    async fn credentials_of(&self, id: Uuid) -> Result<Option<Credentials>, Error> {
        let sql = format!("{SELECT} and id = $1");
        let row = sqlx::query_as::<_, CredentialsRow>(AssertSqlSafe(sql));
        Ok(row.bind(id).fetch_optional(&self.pool).await?.map(Credentials::from))
    }

    async fn get(&self, id: Uuid) -> Result<Option<User>, Error> {
        find(&mut *self.pool.acquire().await?, id).await
    }

    async fn list(
        &self,
        role: Option<&str>,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<User>, Error> {
        let sql = format!(
            "{SELECT} and ($1::uuid is null or id < $1)
                 and ($3::text is null or $3 = any (roles) or exists (
                     select from user_custom_roles u where u.user_id = users.id and u.role = $3))
             order by id desc limit $2"
        );
        let rows = sqlx::query_as::<_, UserRow>(AssertSqlSafe(sql))
            .bind(before)
            .bind(limit)
            .bind(role)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(User::from).collect())
    }

    async fn rename(&self, id: Uuid, display_name: String) -> Result<User, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let mut user = lock(&mut tx, id).await?.ok_or(Error::UserNotFound)?;
        user.rename(display_name)?;
        sqlx::query("update users set display_name = $2, version = version + 1 where id = $1")
            .bind(id)
            .bind(&user.display_name)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(user)
    }

    async fn set_roles(
        &self,
        id: Uuid,
        roles: RoleNames,
        refusal: Refusal<'_, User>,
        end_sessions: bool,
        events: &[Event],
    ) -> Result<User, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let other_admins = lock_admins(&mut tx).await?.into_iter().any(|admin| admin != id);
        let mut user = lock(&mut tx, id).await?.ok_or(Error::UserNotFound)?;
        refusal(&user)?;
        user.take_roles(roles, other_admins)?;
        sqlx::query("update users set roles = $2, version = version + 1 where id = $1")
            .bind(id)
            .bind(&user.roles.built_in)
            .execute(&mut *tx)
            .await?;
        custom_roles::give(&mut tx, id, &user.roles.custom).await?;
        if end_sessions {
            families::end_all(&mut tx, id, None, types::now()).await?;
        }
        for event in events {
            security_events::record(&mut tx, event).await?;
        }
        tx.commit().await?;
        Ok(user)
    }

    async fn set_password(
        &self,
        id: Uuid,
        password_hash: &SecretString,
        keep: Option<Uuid>,
        event: &Event,
    ) -> Result<(), Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let set = sqlx::query(
            "update users set password_hash = $2, version = version + 1
             where id = $1 and closed_at is null",
        )
        .bind(id)
        .bind(password_hash.expose_secret())
        .execute(&mut *tx)
        .await?;
        if set.rows_affected() == 0 {
            return Err(Error::UserNotFound);
        }
        families::end_all(&mut tx, id, keep, event.at).await?;
        security_events::record(&mut tx, event).await?;
        Ok(tx.commit().await?)
    }

    async fn rehash(&self, id: Uuid, old: &SecretString, new: &SecretString) -> Result<(), Error> {
        sqlx::query("update users set password_hash = $3 where id = $1 and password_hash = $2")
            .bind(id)
            .bind(old.expose_secret())
            .bind(new.expose_secret())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn close(&self, id: Uuid, erase_at: OffsetDateTime, event: &Event) -> Result<(), Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let admins = lock_admins(&mut tx).await?;
        lock(&mut tx, id).await?.ok_or(Error::UserNotFound)?;
        if admins == [id] {
            return Err(RuleBroken::LastAdmin.into());
        }
        // The address is free for a new account at once; no password matches.
        sqlx::query(
            "update users set closed_at = $2, email = id || '@closed.invalid', password_hash = '',
                 display_name = 'closed', roles = '{customer}', version = version + 1
             where id = $1",
        )
        .bind(id)
        .bind(event.at)
        .execute(&mut *tx)
        .await?;
        for sql in [
            "delete from addresses where user_id = $1",
            "delete from user_custom_roles where user_id = $1",
        ] {
            sqlx::query(sql).bind(id).execute(&mut *tx).await?;
        }
        families::end_all(&mut tx, id, None, event.at).await?;
        // There is a row already if a restore brought the account back.
        sqlx::query(
            "insert into erasures as e (user_id, requested_at, next_try_at) values ($1, $2, $3)
             on conflict (user_id) do update set
                 next_try_at = excluded.next_try_at, tries = 0, done = '{}', finished_at = null",
        )
        .bind(id)
        .bind(event.at)
        .bind(erase_at)
        .execute(&mut *tx)
        .await?;
        security_events::record(&mut tx, event).await?;
        Ok(tx.commit().await?)
    }
}

/// Whose address it is.
pub(super) async fn by_email(
    connection: &mut PgConnection,
    email: &str,
) -> Result<Option<Uuid>, Error> {
    // PostgreSQL's text cannot hold it, so no account has it.
    let email = Some(email).filter(|email| !email.contains('\0'));
    let sql = "select id from users where lower(email) = lower($1) and closed_at is null";
    Ok(sqlx::query_scalar(sql).bind(email).fetch_optional(connection).await?)
}

async fn insert(
    connection: &mut PgConnection,
    user: &User,
    password_hash: &SecretString,
) -> Result<(), Error> {
    let inserted = sqlx::query(
        "insert into users (id, email, display_name, password_hash, roles, created_at)
         values ($1, $2, $3, $4, $5, $6) on conflict (lower(email)) do nothing",
    )
    .bind(user.id)
    .bind(&user.email)
    .bind(&user.display_name)
    .bind(password_hash.expose_secret())
    .bind(&user.roles.built_in)
    .bind(user.created_at)
    .execute(connection)
    .await?;
    // Not a violation of the constraint: the server would write the address to its log.
    if inserted.rows_affected() == 0 { Err(Error::EmailTaken) } else { Ok(()) }
}

pub(super) async fn find(connection: &mut PgConnection, id: Uuid) -> Result<Option<User>, Error> {
    let sql = format!("{SELECT} and id = $1");
    let row = sqlx::query_as::<_, UserRow>(AssertSqlSafe(sql));
    Ok(row.bind(id).fetch_optional(connection).await?.map(User::from))
}

async fn lock(connection: &mut PgConnection, id: Uuid) -> Result<Option<User>, Error> {
    let sql = format!("{SELECT} and id = $1 for update");
    let row = sqlx::query_as::<_, UserRow>(AssertSqlSafe(sql));
    Ok(row.bind(id).fetch_optional(connection).await?.map(User::from))
}

/// Locks every admin's row, in one order for all: of two admins who step down at
/// once, the second waits and then finds itself the last.
async fn lock_admins(connection: &mut PgConnection) -> Result<Vec<Uuid>, Error> {
    let admins = sqlx::query_scalar(
        "select id from users where 'admin' = any (roles) order by id for update",
    )
    .fetch_all(connection)
    .await?;
    Ok(admins)
}
