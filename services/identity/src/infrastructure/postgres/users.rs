//! Accounts.

use async_trait::async_trait;
use proto::identity::v1::UserRegistered;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::refresh_tokens;
use crate::core::Error;
use crate::core::ports::{Credentials, Users};
use crate::domain::{NewToken, User, UserChange};

/// Accounts in PostgreSQL.
pub struct PostgresUsers {
    pool: PgPool,
}

impl PostgresUsers {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[derive(sqlx::FromRow)]
struct UserRow {
    id: Uuid,
    email: String,
    display_name: String,
    roles: Vec<String>,
    created_at: OffsetDateTime,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        let UserRow { id, email, display_name, roles, created_at } = row;
        Self { id, email, display_name, roles, created_at }
    }
}

#[derive(sqlx::FromRow)]
struct CredentialsRow {
    #[sqlx(flatten)]
    user: UserRow,
    password_hash: String,
}

#[async_trait]
impl Users for PostgresUsers {
    async fn add(
        &self,
        user: &User,
        password_hash: &SecretString,
        first: Option<&NewToken>,
    ) -> Result<(), Error> {
        let mut tx = self.pool.begin().await?;
        insert(&mut tx, user, password_hash).await?;
        let fact = UserRegistered {
            user_id: user.id.to_string(),
            email: user.email.clone(),
            display_name: user.display_name.clone(),
        };
        events::publish(&mut tx, &fact).await?;
        if let Some(first) = first {
            refresh_tokens::start(&mut tx, user.id, first).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn credentials(&self, email: &str) -> Result<Option<Credentials>, Error> {
        // PostgreSQL's text cannot hold it, so no account has it.
        if email.contains('\0') {
            return Ok(None);
        }
        let row = sqlx::query_as::<_, CredentialsRow>(
            "select id, email, display_name, roles, created_at, password_hash
             from users where lower(email) = lower($1)",
        )
        .bind(email)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|CredentialsRow { user, password_hash }| Credentials {
            user: user.into(),
            password_hash: password_hash.into(),
        }))
    }

    async fn get(&self, id: Uuid) -> Result<Option<User>, Error> {
        find(&mut *self.pool.acquire().await?, id).await
    }

    async fn list(&self, before: Option<Uuid>, limit: i64) -> Result<Vec<User>, Error> {
        let rows = sqlx::query_as::<_, UserRow>(
            "select id, email, display_name, roles, created_at
             from users where $1::uuid is null or id < $1 order by id desc limit $2",
        )
        .bind(before)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(User::from).collect())
    }

    async fn change(&self, id: Uuid, change: UserChange) -> Result<User, Error> {
        let mut tx = self.pool.begin().await?;
        let other_admins = match change {
            UserChange::DisplayName(_) => true,
            UserChange::Roles(_) => lock_admins(&mut tx).await?.into_iter().any(|a| a != id),
        };
        let mut user = lock(&mut tx, id).await?.ok_or(Error::UserNotFound)?;
        user.apply(change, other_admins)?;
        sqlx::query(
            "update users set display_name = $2, roles = $3, version = version + 1
             where id = $1",
        )
        .bind(id)
        .bind(&user.display_name)
        .bind(&user.roles)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(user)
    }
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
    .bind(&user.roles)
    .bind(user.created_at)
    .execute(connection)
    .await?;
    // Not a violation of the constraint: the server would write the address to its log.
    if inserted.rows_affected() == 0 { Err(Error::EmailTaken) } else { Ok(()) }
}

pub(super) async fn find(connection: &mut PgConnection, id: Uuid) -> Result<Option<User>, Error> {
    let row = sqlx::query_as::<_, UserRow>(
        "select id, email, display_name, roles, created_at from users where id = $1",
    )
    .bind(id)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(User::from))
}

async fn lock(connection: &mut PgConnection, id: Uuid) -> Result<Option<User>, Error> {
    let row = sqlx::query_as::<_, UserRow>(
        "select id, email, display_name, roles, created_at from users where id = $1 for update",
    )
    .bind(id)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(User::from))
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
