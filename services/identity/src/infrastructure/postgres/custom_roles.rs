//! Roles that administrators made.

use async_trait::async_trait;
use sqlx::{FromRow as _, PgConnection, PgPool, Row as _};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{families, security_events};
use crate::core::Error;
use crate::core::ports::{CustomRoles, Holders, Refusal};
use crate::domain::{CustomRole, Event, RoleChange, RoleNames};

/// The columns of a [`RoleRow`].
macro_rules! columns {
    () => {
        "name, title, description, permissions, created_at, updated_at"
    };
}

/// Roles in PostgreSQL.
pub struct PostgresRoles {
    pool: PgPool,
}

impl PostgresRoles {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[derive(sqlx::FromRow)]
struct RoleRow {
    name: String,
    title: String,
    description: String,
    permissions: Vec<String>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl From<RoleRow> for CustomRole {
    fn from(row: RoleRow) -> Self {
        let RoleRow { name, title, description, permissions, created_at, updated_at } = row;
        Self { name, title, description, permissions, created_at, updated_at }
    }
}

#[async_trait]
impl CustomRoles for PostgresRoles {
    async fn list(&self) -> Result<Vec<CustomRole>, Error> {
        let sql = concat!("select ", columns!(), " from custom_roles order by name");
        let rows: Vec<RoleRow> = sqlx::query_as(sql).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(CustomRole::from).collect())
    }

    async fn holders(&self) -> Result<Vec<(String, Holders)>, Error> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "select role, sum(users)::bigint, sum(clients)::bigint from (
                 select unnest(roles) as role, 1 as users, 0 as clients
                 from users where closed_at is null
                 union all select role, 1, 0 from user_custom_roles
                 union all select unnest(roles), 0, 1 from oauth_clients
                 union all select role, 0, 1 from client_custom_roles
             ) held group by role",
        )
        .fetch_all(&self.pool)
        .await?;
        let held = |(role, users, clients)| (role, Holders { users, clients });
        Ok(rows.into_iter().map(held).collect())
    }

    async fn find(&self, name: &str) -> Result<(Option<CustomRole>, Holders), Error> {
        let row = sqlx::query(concat!(
            "select ",
            columns!(),
            ",
                 (select count(*) from users where closed_at is null and wanted = any (roles))
                     + (select count(*) from user_custom_roles where role = wanted) as users,
                 (select count(*) from oauth_clients where wanted = any (roles))
                     + (select count(*) from client_custom_roles where role = wanted) as clients
             from (select $1::text as wanted) asked
             left join custom_roles on custom_roles.name = wanted"
        ))
        .bind(name)
        .fetch_one(&self.pool)
        .await?;
        let holders = Holders { users: row.try_get("users")?, clients: row.try_get("clients")? };
        let role = match row.try_get::<Option<String>, _>("name")? {
            Some(_) => Some(RoleRow::from_row(&row)?.into()),
            None => None,
        };
        Ok((role, holders))
    }

    async fn of(&self, holder: Uuid) -> Result<RoleNames, Error> {
        let row: Option<(Vec<String>, Vec<String>)> = sqlx::query_as(
            "select roles, array(select role from user_custom_roles where user_id = $1)
             from users where id = $1 and closed_at is null
             union all
             select roles, array(select role from client_custom_roles where client_id = $1)
             from oauth_clients where id = $1",
        )
        .bind(holder)
        .fetch_optional(&self.pool)
        .await?;
        let (built_in, custom) = row.unwrap_or_default();
        Ok(RoleNames { built_in, custom })
    }

    async fn add(&self, role: &CustomRole, most: usize, event: &Event) -> Result<(), Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        // They are few and change seldom: one after the other.
        sqlx::query("lock table custom_roles in exclusive mode").execute(&mut *tx).await?;
        let count: i64 =
            sqlx::query_scalar("select count(*) from custom_roles").fetch_one(&mut *tx).await?;
        if usize::try_from(count).is_ok_and(|count| count >= most) {
            return Err(Error::TooManyRoles);
        }
        let inserted = sqlx::query(
            "insert into custom_roles (name, title, description, permissions, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6) on conflict (name) do nothing",
        )
        .bind(&role.name)
        .bind(&role.title)
        .bind(&role.description)
        .bind(&role.permissions)
        .bind(role.created_at)
        .bind(role.updated_at)
        .execute(&mut *tx)
        .await?;
        if inserted.rows_affected() == 0 {
            return Err(Error::RoleExists);
        }
        security_events::record(&mut tx, event).await?;
        Ok(tx.commit().await?)
    }

    async fn change(
        &self,
        name: &str,
        change: RoleChange,
        refusal: Refusal<'_, CustomRole>,
        end_sessions: bool,
        event: &Event,
    ) -> Result<CustomRole, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let role = lock(&mut tx, name).await?.ok_or(Error::RoleNotFound)?;
        refusal(&role)?;
        let RoleChange { title, description, permissions } = change;
        let row: RoleRow = sqlx::query_as(concat!(
            "update custom_roles set title = coalesce($2, title),
                 description = coalesce($3, description),
                 permissions = coalesce($4, permissions), updated_at = $5
             where name = $1 returning ",
            columns!()
        ))
        .bind(name)
        .bind(title)
        .bind(description)
        .bind(permissions)
        .bind(event.at)
        .fetch_one(&mut *tx)
        .await?;
        if end_sessions {
            end_sessions_of(&mut tx, name, event.at).await?;
        }
        security_events::record(&mut tx, event).await?;
        tx.commit().await?;
        Ok(row.into())
    }

    async fn remove(
        &self,
        name: &str,
        refusal: Refusal<'_, CustomRole>,
        event: &Event,
    ) -> Result<(), Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        // Nobody is given it meanwhile: their row's foreign key waits for this lock.
        let role = lock(&mut tx, name).await?.ok_or(Error::RoleNotFound)?;
        refusal(&role)?;
        let deleted = sqlx::query(
            "delete from custom_roles where name = $1
                 and not exists (select from user_custom_roles where role = $1)
                 and not exists (select from client_custom_roles where role = $1)",
        )
        .bind(name)
        .execute(&mut *tx)
        .await?;
        if deleted.rows_affected() == 0 {
            return Err(Error::RoleInUse);
        }
        security_events::record(&mut tx, event).await?;
        Ok(tx.commit().await?)
    }
}

async fn lock(connection: &mut PgConnection, name: &str) -> Result<Option<CustomRole>, Error> {
    let sql = concat!("select ", columns!(), " from custom_roles where name = $1 for update");
    let row: Option<RoleRow> = sqlx::query_as(sql).bind(name).fetch_optional(connection).await?;
    Ok(row.map(CustomRole::from))
}

/// Of all who have a role: people sign in again, applications ask for another token.
async fn end_sessions_of(
    connection: &mut PgConnection,
    role: &str,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let users: Vec<Uuid> = sqlx::query_scalar(
        "select user_id from user_custom_roles where role = $1 order by user_id",
    )
    .bind(role)
    .fetch_all(&mut *connection)
    .await?;
    for user in users {
        families::end_all(connection, user, None, now).await?;
    }
    sqlx::query(
        "insert into revocations (subject, revoked_at)
         select client_id, clock_timestamp() from client_custom_roles where role = $1
         on conflict (subject) do update set revoked_at = excluded.revoked_at",
    )
    .bind(role)
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives a user these roles and no others.
pub(super) async fn give(
    connection: &mut PgConnection,
    user: Uuid,
    roles: &[String],
) -> Result<(), Error> {
    sqlx::query("delete from user_custom_roles where user_id = $1 and not role = any ($2)")
        .bind(user)
        .bind(roles)
        .execute(&mut *connection)
        .await?;
    let given = sqlx::query(
        "insert into user_custom_roles (user_id, role) select $1, unnest($2::text[])
         on conflict do nothing",
    );
    let given = given.bind(user).bind(roles).execute(connection).await;
    given.map(drop).map_err(taken_away("user_custom_roles_role_fkey"))
}

/// Of a role that was taken away a moment ago.
pub(super) fn taken_away(constraint: &'static str) -> impl Fn(sqlx::Error) -> Error {
    move |error| match error.as_database_error().and_then(|e| e.constraint()) {
        Some(broken) if broken == constraint => Error::RoleGone,
        _ => error.into(),
    }
}
