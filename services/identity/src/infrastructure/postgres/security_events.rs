//! The log of security events, chained by hashes.

use async_trait::async_trait;
use futures::TryStreamExt;
use proto::identity::v1::SecurityEventRecorded;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::{AuditLog, Listed, Verification};
use crate::domain::Event;

/// The log in PostgreSQL.
pub struct PostgresAuditLog {
    pool: PgPool,
}

impl PostgresAuditLog {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

/// Appends an event in the transaction of what it is about, as the last thing: others
/// wait for the end of the log. Publishes it where its user gets a mail about it.
pub(super) async fn record(connection: &mut PgConnection, event: &Event) -> Result<(), Error> {
    let Event { kind, at, user, address, detail } = event;
    if let Some(user) = user.filter(|_| kind.is_published()) {
        let fact = SecurityEventRecorded {
            user_id: user.to_string(),
            kind: kind.name().to_owned(),
            time: Some(grpc::convert::timestamp(*at)),
        };
        events::publish(connection, &fact).await?;
    }
    sqlx::query("select record_security_event($1, $2, $3, $4, $5)")
        .bind(kind.name())
        .bind(at)
        .bind(user)
        .bind(address)
        .bind(detail)
        .execute(connection)
        .await?;
    Ok(())
}

const CHAIN: &str = "select sequence, kind, at, user_id, client_address, salt, subject_digest,
         previous_hash, hash, detail
     from security_events order by sequence";

#[derive(sqlx::FromRow)]
struct EntryRow {
    sequence: i64,
    kind: String,
    at: OffsetDateTime,
    user_id: Option<Uuid>,
    client_address: Option<String>,
    salt: Option<Vec<u8>>,
    subject_digest: Vec<u8>,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
    detail: String,
}

#[async_trait]
impl AuditLog for PostgresAuditLog {
    async fn record(&self, event: &Event) -> Result<(), Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        record(&mut tx, event).await?;
        Ok(tx.commit().await?)
    }

    async fn list(
        &self,
        user: Uuid,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Listed>, Error> {
        let rows: Vec<(i64, String, OffsetDateTime, Option<String>, String)> = sqlx::query_as(
            "select sequence, kind, at, client_address, detail from security_events
             where user_id = $1 and ($2::bigint is null or sequence < $2)
             order by sequence desc limit $3",
        )
        .bind(user)
        .bind(before)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        let listed =
            |(sequence, kind, at, address, detail)| Listed { sequence, kind, at, address, detail };
        Ok(rows.into_iter().map(listed).collect())
    }

    async fn verify(&self) -> Result<Verification, Error> {
        let mut chain = Verification { entries: 0, broken: None, head: Vec::new() };
        let mut rows = sqlx::query_as::<_, EntryRow>(CHAIN).fetch(&self.pool);
        while let Some(row) = rows.try_next().await? {
            if row.sequence != chain.entries + 1 || !row.fits(&chain.head) {
                chain.broken = Some(chain.entries + 1);
                break;
            }
            chain.entries += 1;
            chain.head = row.hash;
        }
        Ok(chain)
    }
}

impl EntryRow {
    /// Whether it is what it was when it was written, after the entry with this hash.
    fn fits(&self, previous: &[u8]) -> bool {
        let micros = self.at.unix_timestamp_nanos() / 1_000;
        let digest = hex::encode(&self.subject_digest);
        let mut text = format!("{}|{}|{micros}|{digest}", self.sequence, self.kind);
        if !self.detail.is_empty() {
            text.push('|');
            text.push_str(&self.detail);
        }
        let hash = Sha256::new().chain_update(previous).chain_update(text).finalize();
        self.previous_hash == previous && self.hash == hash[..] && self.subject_fits()
    }

    /// An erased subject has left its digest and nothing to compare it with.
    fn subject_fits(&self) -> bool {
        let Some(salt) = &self.salt else { return self.user_id.is_none() };
        let user = self.user_id.map(|user| user.to_string()).unwrap_or_default();
        let address = self.client_address.as_deref().unwrap_or_default();
        let digest = Sha256::new().chain_update(salt).chain_update(format!("{user}|{address}"));
        self.subject_digest == digest.finalize()[..]
    }
}
