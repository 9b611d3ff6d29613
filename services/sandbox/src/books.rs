//! The lists of charges and refunds: the newest first, page by page.

use serde::Serialize;
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::charge::Charge;
use crate::store::StoreError;

/// What is looked for; whatever is absent does not matter.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The client's own id.
    pub reference: Option<String>,
    /// Made at this time or later.
    pub from: Option<OffsetDateTime>,
    /// Made before this time.
    pub until: Option<OffsetDateTime>,
    /// The last id of the page before.
    pub after: Option<String>,
}

/// A refund, with its charge as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Refund {
    /// `re_` and a UUIDv7, so that ids sort by age.
    pub id: String,
    /// The client's own id for it.
    pub reference: Option<String>,
    /// Minor units of the charge's currency.
    pub amount_minor: i64,
    #[serde(with = "time::serde::timestamp")]
    pub created_at: OffsetDateTime,
    #[sqlx(skip)]
    pub charge: Option<Charge>,
    #[serde(skip)]
    charge_id: String,
}

/// Reads the books.
pub struct Books {
    pool: PgPool,
}

impl Books {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Charges that fit.
    pub async fn charges(&self, filter: &Filter, limit: i64) -> Result<Vec<Charge>, StoreError> {
        let charges = sqlx::query_as(
            "select id, reference, amount_minor, currency, state, failure_code, refunded_minor,
                    created_at
             from charges
             where ($1::text is null or reference = $1)
                 and ($2::timestamptz is null or created_at >= $2)
                 and ($3::timestamptz is null or created_at < $3)
                 and ($4::text is null or id < $4)
             order by id desc limit $5",
        )
        .bind(&filter.reference)
        .bind(filter.from)
        .bind(filter.until)
        .bind(&filter.after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(charges)
    }

    /// Refunds that fit, with their charges.
    pub async fn refunds(&self, filter: &Filter, limit: i64) -> Result<Vec<Refund>, StoreError> {
        let mut refunds: Vec<Refund> = sqlx::query_as(
            "select id, reference, amount_minor, created_at, charge_id from refunds
             where ($1::text is null or reference = $1)
                 and ($2::timestamptz is null or created_at >= $2)
                 and ($3::timestamptz is null or created_at < $3)
                 and ($4::text is null or id < $4)
             order by id desc limit $5",
        )
        .bind(&filter.reference)
        .bind(filter.from)
        .bind(filter.until)
        .bind(&filter.after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        let ids: Vec<&str> = refunds.iter().map(|r| r.charge_id.as_str()).collect();
        let charges: Vec<Charge> = sqlx::query_as(
            "select id, reference, amount_minor, currency, state, failure_code, refunded_minor,
                    created_at
             from charges where id = any($1)",
        )
        .bind(ids)
        .fetch_all(&self.pool)
        .await?;
        for refund in &mut refunds {
            refund.charge = charges.iter().find(|c| c.id == refund.charge_id).cloned();
        }
        Ok(refunds)
    }
}
