//! What operators did, and why: rows that are only ever added, each in the
//! transaction of its effect.

use sqlx::PgConnection;
use sqlx::types::time::OffsetDateTime;
use uuid::Uuid;

/// The table of a service with methods for operators; it merges this into its
/// migrations.
pub static ACTIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// Something that an operator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action<'a> {
    /// The user of the verified token; never what a request says of itself.
    pub actor: Uuid,
    /// `<thing>.<verb>`, for example `saga.retry`.
    pub action: &'a str,
    /// What is acted on, by its id.
    pub target: &'a str,
    /// In the operator's words, 1 to 500 characters.
    pub why: &'a str,
    /// What came of it; may be empty.
    pub outcome: &'a str,
}

/// An action that is written down.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Entry {
    /// UUIDv7: sorts by time.
    pub id: Uuid,
    pub at: OffsetDateTime,
    pub actor: Uuid,
    pub action: String,
    pub target: String,
    pub why: String,
    pub outcome: String,
}

/// Writes an action down if and only if the caller's transaction commits; answers
/// the entry's id.
///
/// The log line says the same for those who read logs; it stands there also when
/// the transaction comes to nothing, and then the row does not.
pub async fn record(conn: &mut PgConnection, action: &Action<'_>) -> Result<Uuid, sqlx::Error> {
    let Action { actor, action, target, why, outcome } = *action;
    let id = Uuid::now_v7();
    sqlx::query(
        "insert into operator_actions (id, actor, action, target, why, outcome)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(actor)
    .bind(action)
    .bind(target)
    .bind(why)
    .bind(outcome)
    .execute(conn)
    .await?;
    tracing::info!(
        audit.id = %id,
        audit.actor = %actor,
        audit.action = action,
        audit.target = target,
        audit.why = why,
        audit.outcome = outcome,
        "an operator acts"
    );
    Ok(id)
}

/// What was done to a target, newest first, at most `limit` entries.
pub async fn of(
    conn: &mut PgConnection,
    target: &str,
    limit: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    sqlx::query_as(
        "select id, at, actor, action, target, why, outcome
         from operator_actions where target = $1 order by id desc limit $2",
    )
    .bind(target)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// What somebody did, newest first, at most `limit` entries.
pub async fn by(
    conn: &mut PgConnection,
    actor: Uuid,
    limit: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    sqlx::query_as(
        "select id, at, actor, action, target, why, outcome
         from operator_actions where actor = $1 order by id desc limit $2",
    )
    .bind(actor)
    .bind(limit)
    .fetch_all(conn)
    .await
}
