//! The categories and how much is in them.

use async_trait::async_trait;
use sqlx::PgPool;

use super::failed;
use crate::core::Error;
use crate::core::ports::Categories;
use crate::domain::Category;

/// The table `categories`.
pub struct PostgresCategories {
    pool: PgPool,
}

impl PostgresCategories {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl Categories for PostgresCategories {
    async fn all(&self) -> Result<Vec<Category>, Error> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "select c.slug, c.name, count(p.id)
             from categories c
             left join products p on p.category = c.slug and p.deleted_at is null
             group by c.slug, c.name
             order by c.name, c.slug",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        let category = |(slug, name, products)| Category { slug, name, products };
        Ok(rows.into_iter().map(category).collect())
    }
}
