//! What is known of people.

use async_trait::async_trait;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::{Deed, Kept, People};
use crate::domain::{Contact, Preferences};

/// No worker takes one of the user's e-mails until the transaction ends, and whoever is
/// taking one is waited for.
const HOLD: &str = "select from deliveries d join notifications n on n.id = d.notification_id
     where n.user_id = $1 for update of d";

/// All but an e-mail that a worker is handing over now, and the last one, while there is
/// hope for it.
const FORGET_NOTIFICATIONS: &str = "delete from notifications n using deliveries d
     where d.notification_id = n.id and n.user_id = $1
         and not (d.state = 'pending' and (
             coalesce(d.leased_until > $2, false)
             or n.kind = 'account_closed' and n.created_at > $2 - interval '1 hour'))";

const FORGET_CONTACT: &str = "delete from contacts where user_id = $1
     and not exists (select from notifications where user_id = $1)";

const FORGET_PREFERENCES: &str = "delete from preferences where user_id = $1";

const LEFT: &str = "select exists (select from notifications where user_id = $1)
     or exists (select from contacts where user_id = $1)";

/// E-mails that have waited for a contact longer than any fact is on its way: it will
/// never be known, as when a payment is given back whose payer was erased.
const FORGET_UNKNOWN: &str = "delete from notifications n using deliveries d
     where d.notification_id = n.id and d.state = 'pending'
         and d.next_attempt_at < now() - interval '30 days'
         and not exists (select from contacts c where c.user_id = n.user_id)";

/// People in PostgreSQL.
pub struct PostgresPeople {
    pool: PgPool,
}

impl PostgresPeople {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl People for PostgresPeople {
    async fn kept(&self, user_id: Uuid, limit: i64) -> Result<Kept, Error> {
        let mut conn = self.pool.acquire().await?;
        let contact: Option<(String, String)> =
            sqlx::query_as("select email, display_name from contacts where user_id = $1")
                .bind(user_id)
                .fetch_optional(&mut *conn)
                .await?;
        let email: Option<bool> =
            sqlx::query_scalar("select email from preferences where user_id = $1")
                .bind(user_id)
                .fetch_optional(&mut *conn)
                .await?;
        let deeds = audit::by(&mut conn, user_id, limit).await?;
        Ok(Kept {
            contact: contact.map(|(email, display_name)| Contact { user_id, email, display_name }),
            preferences: email.map(|email| Preferences { email }),
            deeds: deeds.into_iter().map(deed).collect(),
        })
    }

    async fn erase(&self, user_id: Uuid, now: OffsetDateTime) -> Result<bool, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let left = erase(&mut tx, user_id, now).await?;
        tx.commit().await?;
        Ok(!left)
    }

    async fn forget_old(&self) -> Result<(), Error> {
        sqlx::query(FORGET_UNKNOWN).execute(&self.pool).await?;
        personal::purge(&self.pool).await?;
        Ok(())
    }
}

/// Facts about the user that are being applied are when the tombstone stands; whatever
/// comes later finds it.
async fn erase(
    conn: &mut PgConnection,
    user_id: Uuid,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    personal::begin_erasure(conn, user_id).await?;
    sqlx::query(HOLD).bind(user_id).execute(&mut *conn).await?;
    sqlx::query(FORGET_NOTIFICATIONS).bind(user_id).bind(now).execute(&mut *conn).await?;
    for statement in [FORGET_CONTACT, FORGET_PREFERENCES] {
        sqlx::query(statement).bind(user_id).execute(&mut *conn).await?;
    }
    sqlx::query_scalar(LEFT).bind(user_id).fetch_one(conn).await
}

fn deed(entry: audit::Entry) -> Deed {
    let audit::Entry { id: _, at, actor: _, action, target, why, outcome } = entry;
    Deed { at, action, target, why, outcome }
}
