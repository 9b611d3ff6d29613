//! Applications.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{custom_roles, security_events};
use crate::core::Error;
use crate::core::ports::Clients;
use crate::domain::oauth::Client;
use crate::domain::{Event, RoleNames};

/// With what the roles give that administrators made.
const SELECT: &str = "select c.id, c.name, c.redirect_uris, c.logout_uris, c.secret_hash,
        c.first_party, c.roles, c.created_at,
        array(select r.role from client_custom_roles r where r.client_id = c.id order by 1)
            as custom_roles,
        array(select distinct unnest(r.permissions)
            from client_custom_roles h join custom_roles r on r.name = h.role
            where h.client_id = c.id order by 1) as entitlements
    from oauth_clients c";

/// Applications in PostgreSQL.
pub struct PostgresClients {
    pool: PgPool,
}

impl PostgresClients {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[derive(sqlx::FromRow)]
struct ClientRow {
    id: Uuid,
    name: String,
    redirect_uris: Vec<String>,
    logout_uris: Vec<String>,
    secret_hash: Option<Vec<u8>>,
    first_party: bool,
    roles: Vec<String>,
    custom_roles: Vec<String>,
    entitlements: Vec<String>,
    created_at: OffsetDateTime,
}

impl TryFrom<ClientRow> for Client {
    type Error = Error;

    fn try_from(row: ClientRow) -> Result<Self, Error> {
        let ClientRow {
            id,
            name,
            redirect_uris,
            logout_uris,
            secret_hash,
            first_party,
            roles: built_in,
            custom_roles: custom,
            entitlements,
            created_at,
        } = row;
        let secret_hash = secret_hash.map(TryInto::try_into).transpose();
        let secret_hash =
            secret_hash.map_err(|_| Error::internal("a secret's hash is too short"))?;
        Ok(Self {
            id,
            name,
            redirect_uris,
            logout_uris,
            secret_hash,
            first_party,
            roles: RoleNames { built_in, custom },
            entitlements,
            created_at,
        })
    }
}

#[async_trait]
impl Clients for PostgresClients {
    async fn add(&self, client: &Client, event: &Event) -> Result<(), Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        sqlx::query(
            "insert into oauth_clients (id, name, redirect_uris, logout_uris, secret_hash,
                 first_party, roles, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(client.id)
        .bind(&client.name)
        .bind(&client.redirect_uris)
        .bind(&client.logout_uris)
        .bind(client.secret_hash.as_ref().map(|hash| hash.as_slice()))
        .bind(client.first_party)
        .bind(&client.roles.built_in)
        .bind(client.created_at)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "insert into client_custom_roles (client_id, role) select $1, unnest($2::text[])",
        )
        .bind(client.id)
        .bind(&client.roles.custom)
        .execute(&mut *tx)
        .await
        .map_err(custom_roles::taken_away("client_custom_roles_role_fkey"))?;
        security_events::record(&mut tx, event).await?;
        Ok(tx.commit().await?)
    }

    async fn get(&self, id: Uuid) -> Result<Option<Client>, Error> {
        let row: Option<ClientRow> =
            sqlx::query_as(AssertSqlSafe(format!("{SELECT} where c.id = $1")))
                .bind(id)
                .fetch_optional(&self.pool)
                .await?;
        row.map(Client::try_from).transpose()
    }

    async fn list(&self) -> Result<Vec<Client>, Error> {
        let sql = format!("{SELECT} order by c.id desc");
        let rows: Vec<ClientRow> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&self.pool).await?;
        rows.into_iter().map(Client::try_from).collect()
    }

    async fn remove(&self, id: Uuid, event: &Event) -> Result<bool, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let removed = sqlx::query("delete from oauth_clients where id = $1")
            .bind(id)
            .execute(&mut *tx)
            .await?;
        if removed.rows_affected() == 0 {
            return Ok(false);
        }
        // What it got in its own name belongs to no session.
        sqlx::query(
            "insert into revocations (subject, revoked_at) values ($1, clock_timestamp())
             on conflict (subject) do update set revoked_at = excluded.revoked_at",
        )
        .bind(id)
        .execute(&mut *tx)
        .await?;
        security_events::record(&mut tx, event).await?;
        tx.commit().await?;
        Ok(true)
    }
}
