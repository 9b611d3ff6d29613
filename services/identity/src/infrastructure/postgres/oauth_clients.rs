//! Applications.

use async_trait::async_trait;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::Clients;
use crate::domain::oauth::Client;

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
            roles,
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
            roles,
            created_at,
        })
    }
}

#[async_trait]
impl Clients for PostgresClients {
    async fn add(&self, client: &Client) -> Result<(), Error> {
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
        .bind(&client.roles)
        .bind(client.created_at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn get(&self, id: Uuid) -> Result<Option<Client>, Error> {
        let row: Option<ClientRow> = sqlx::query_as("select * from oauth_clients where id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        row.map(Client::try_from).transpose()
    }

    async fn list(&self) -> Result<Vec<Client>, Error> {
        let rows: Vec<ClientRow> = sqlx::query_as("select * from oauth_clients order by id desc")
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(Client::try_from).collect()
    }

    async fn remove(&self, id: Uuid) -> Result<bool, Error> {
        let removed = sqlx::query("delete from oauth_clients where id = $1")
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(removed.rows_affected() == 1)
    }
}
