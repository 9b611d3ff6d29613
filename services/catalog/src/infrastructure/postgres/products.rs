//! The products on sale.

use async_trait::async_trait;
use grpc::convert::money;
use proto::catalog::v1::ProductChanged;
use sqlx::postgres::PgConnection;
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;
use types::{Currency, Money, MoneyError};
use uuid::Uuid;

use super::{failed, list, refused};
use crate::core::Error;
use crate::core::ports::Products;
use crate::domain::{Details, Listing, Patch, Product};

/// The columns of a [`Row`].
macro_rules! columns {
    () => {
        "id, sku, name, description, category, price_minor, currency, image_url, \
         created_at, updated_at"
    };
}

pub(super) const SELECT_ON_SALE: &str =
    concat!("select ", columns!(), " from products where deleted_at is null");

const FIND: &str =
    concat!("select ", columns!(), " from products where id = any($1) and deleted_at is null");

const LOCK: &str = concat!(
    "select ",
    columns!(),
    " from products where id = $1 and deleted_at is null for update"
);

const INSERT: &str = concat!(
    "insert into products (id, sku, name, description, category, price_minor, currency, image_url,
                           version, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9)
     returning ",
    columns!()
);

const UPDATE: &str = concat!(
    "update products
     set sku = $2, name = $3, description = $4, category = $5, price_minor = $6, currency = $7,
         image_url = $8, version = version + 1, updated_at = $9
     where id = $1
     returning ",
    columns!()
);

const REMOVE: &str = concat!(
    "update products
     set deleted_at = $2, updated_at = $2, version = version + 1
     where id = $1 and deleted_at is null
     returning ",
    columns!()
);

/// The table `products`.
pub struct PostgresProducts {
    pool: PgPool,
}

impl PostgresProducts {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl Products for PostgresProducts {
    async fn list(&self, listing: &Listing) -> Result<Vec<Product>, Error> {
        let mut sql = list::query(listing);
        // Rare words want another plan than frequent ones: planned for each search.
        let same_plan = listing.filter.words.is_none();
        let query = sql.build_query_as::<Row>().persistent(same_plan);
        let rows = query.fetch_all(&self.pool).await.map_err(failed)?;
        rows.into_iter().map(Product::try_from).collect()
    }

    async fn find(&self, ids: &[Uuid]) -> Result<Vec<Product>, Error> {
        let query = sqlx::query_as::<_, Row>(FIND).bind(ids);
        let rows = query.fetch_all(&self.pool).await.map_err(failed)?;
        rows.into_iter().map(Product::try_from).collect()
    }

    async fn add(&self, product: &Product) -> Result<Product, Error> {
        let mut tx = postgres::begin(&self.pool).await.map_err(failed)?;
        let added = write(&mut tx, INSERT, product.id, &product.details, product.created).await?;
        publish(&mut tx, &added, false).await?;
        tx.commit().await.map_err(failed)?;
        Ok(added)
    }

    async fn change(&self, id: Uuid, patch: Patch, now: OffsetDateTime) -> Result<Product, Error> {
        let mut tx = postgres::begin(&self.pool).await.map_err(failed)?;
        let locked = sqlx::query_as::<_, Row>(LOCK).bind(id).fetch_optional(&mut *tx).await;
        let old: Product = locked.map_err(failed)?.ok_or(Error::ProductNotFound(id))?.try_into()?;
        let details = patch.apply(old.details.clone());
        if details == old.details {
            tx.rollback().await.map_err(failed)?;
            return Ok(old);
        }
        let changed = write(&mut tx, UPDATE, id, &details, now).await?;
        publish(&mut tx, &changed, false).await?;
        tx.commit().await.map_err(failed)?;
        Ok(changed)
    }

    async fn remove(&self, id: Uuid, now: OffsetDateTime) -> Result<(), Error> {
        let mut tx = postgres::begin(&self.pool).await.map_err(failed)?;
        let query = sqlx::query_as::<_, Row>(REMOVE).bind(id).bind(now);
        let removed = query.fetch_optional(&mut *tx).await.map_err(failed)?;
        let removed = removed.ok_or(Error::ProductNotFound(id))?.try_into()?;
        publish(&mut tx, &removed, true).await?;
        tx.commit().await.map_err(failed)
    }
}

async fn write(
    tx: &mut PgConnection,
    statement: &'static str,
    id: Uuid,
    details: &Details,
    now: OffsetDateTime,
) -> Result<Product, Error> {
    let Details { sku, name, description, category, price, image_url } = details;
    let query = sqlx::query_as::<_, Row>(statement)
        .bind(id)
        .bind(sku)
        .bind(name)
        .bind(description)
        .bind(category)
        .bind(price.minor())
        .bind(price.currency().code())
        .bind(image_url)
        .bind(now);
    query.fetch_one(tx).await.map_err(refused)?.try_into()
}

async fn publish(tx: &mut PgConnection, product: &Product, deleted: bool) -> Result<(), Error> {
    let Product { id, details, created: _, updated: _ } = product;
    let fact = ProductChanged {
        product_id: id.to_string(),
        sku: details.sku.clone(),
        name: details.name.clone(),
        price: Some(money(details.price)),
        deleted,
    };
    events::publish(tx, &fact).await.map(drop).map_err(failed)
}

#[derive(FromRow)]
pub(super) struct Row {
    id: Uuid,
    sku: String,
    name: String,
    description: String,
    category: String,
    price_minor: i64,
    currency: String,
    image_url: String,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl TryFrom<Row> for Product {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let Row {
            id,
            sku,
            name,
            description,
            category,
            price_minor,
            currency,
            image_url,
            created_at,
            updated_at,
        } = row;
        let currency: Currency =
            currency.parse().map_err(|error: MoneyError| Error::internal(error))?;
        let price = Money::new(price_minor, currency);
        let details = Details { sku, name, description, category, price, image_url };
        Ok(Self { id, details, created: created_at, updated: updated_at })
    }
}
