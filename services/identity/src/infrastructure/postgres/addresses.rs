//! Address books.

use async_trait::async_trait;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::Addresses;
use crate::domain::address::MOST_ADDRESSES;
use crate::domain::{AddressChange, PostalAddress, SavedAddress};

/// Address books in PostgreSQL.
pub struct PostgresAddresses {
    pool: PgPool,
}

impl PostgresAddresses {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

/// The columns of an [`AddressRow`].
macro_rules! columns {
    () => {
        "id, label, recipient, street, city, postal_code, country_code, is_default, created_at, \
         updated_at"
    };
}

const LIST: &str = concat!(
    "select ",
    columns!(),
    " from addresses where user_id = $1 order by is_default desc, id desc"
);

const FIND: &str = concat!("select ", columns!(), " from addresses where user_id = $1 and id = $2");

#[derive(sqlx::FromRow)]
struct AddressRow {
    id: Uuid,
    label: String,
    recipient: String,
    street: String,
    city: String,
    postal_code: String,
    country_code: String,
    is_default: bool,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl From<AddressRow> for SavedAddress {
    fn from(row: AddressRow) -> Self {
        let AddressRow {
            id,
            label,
            recipient,
            street,
            city,
            postal_code,
            country_code,
            is_default,
            created_at,
            updated_at,
        } = row;
        let postal = PostalAddress { recipient, street, city, postal_code, country_code };
        Self { id, label, postal, is_default, created_at, updated_at }
    }
}

#[async_trait]
impl Addresses for PostgresAddresses {
    async fn list(&self, user: Uuid) -> Result<Vec<SavedAddress>, Error> {
        let rows: Vec<AddressRow> = sqlx::query_as(LIST).bind(user).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(SavedAddress::from).collect())
    }

    async fn get(&self, user: Uuid, id: Uuid) -> Result<Option<SavedAddress>, Error> {
        find(&mut *self.pool.acquire().await?, user, id).await
    }

    async fn add(&self, user: Uuid, mut address: SavedAddress) -> Result<SavedAddress, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        if !lock_book(&mut tx, user).await? {
            return Err(Error::UserNotFound);
        }
        let count: i64 = sqlx::query_scalar("select count(*) from addresses where user_id = $1")
            .bind(user)
            .fetch_one(&mut *tx)
            .await?;
        if count >= MOST_ADDRESSES {
            return Err(Error::TooManyAddresses);
        }
        address.is_default |= count == 0;
        if address.is_default {
            clear_default(&mut tx, user).await?;
        }
        insert(&mut tx, user, &address).await?;
        tx.commit().await?;
        Ok(address)
    }

    async fn change(
        &self,
        user: Uuid,
        id: Uuid,
        change: AddressChange,
    ) -> Result<SavedAddress, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        lock_book(&mut tx, user).await?;
        let known = find(&mut tx, user, id).await?.ok_or(Error::AddressNotFound)?;
        let AddressChange { label, postal, is_default } = change;
        let is_default = is_default.unwrap_or(known.is_default);
        if known.is_default && !is_default {
            return Err(Error::DefaultAddressNeeded);
        }
        if is_default {
            clear_default(&mut tx, user).await?;
        }
        let (label, postal) = (label.unwrap_or(known.label), postal.unwrap_or(known.postal));
        let updated_at = types::now();
        let changed = SavedAddress { label, postal, is_default, updated_at, ..known };
        update(&mut tx, &changed).await?;
        tx.commit().await?;
        Ok(changed)
    }

    async fn remove(&self, user: Uuid, id: Uuid) -> Result<bool, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        lock_book(&mut tx, user).await?;
        let sql = "delete from addresses where user_id = $1 and id = $2 returning is_default";
        let removed: Option<bool> =
            sqlx::query_scalar(sql).bind(user).bind(id).fetch_optional(&mut *tx).await?;
        if removed == Some(true) {
            sqlx::query(
                "update addresses set is_default = true where id = (
                     select id from addresses where user_id = $1 order by id desc limit 1)",
            )
            .bind(user)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(removed.is_some())
    }
}

/// One change of a book at a time; answers whether the account is there. Closing it
/// waits, and what comes afterwards finds nobody.
async fn lock_book(connection: &mut PgConnection, user: Uuid) -> Result<bool, Error> {
    let sql = "select id from users where id = $1 and closed_at is null for no key update";
    let locked: Option<Uuid> =
        sqlx::query_scalar(sql).bind(user).fetch_optional(connection).await?;
    Ok(locked.is_some())
}

async fn find(
    connection: &mut PgConnection,
    user: Uuid,
    id: Uuid,
) -> Result<Option<SavedAddress>, Error> {
    let row: Option<AddressRow> =
        sqlx::query_as(FIND).bind(user).bind(id).fetch_optional(connection).await?;
    Ok(row.map(SavedAddress::from))
}

async fn clear_default(connection: &mut PgConnection, user: Uuid) -> Result<(), Error> {
    sqlx::query("update addresses set is_default = false where user_id = $1 and is_default")
        .bind(user)
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert(
    connection: &mut PgConnection,
    user: Uuid,
    address: &SavedAddress,
) -> Result<(), Error> {
    let SavedAddress { id, label, postal, is_default, created_at, updated_at } = address;
    sqlx::query(
        "insert into addresses (id, user_id, label, recipient, street, city, postal_code,
             country_code, is_default, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(id)
    .bind(user)
    .bind(label)
    .bind(&postal.recipient)
    .bind(&postal.street)
    .bind(&postal.city)
    .bind(&postal.postal_code)
    .bind(&postal.country_code)
    .bind(is_default)
    .bind(created_at)
    .bind(updated_at)
    .execute(connection)
    .await?;
    Ok(())
}

async fn update(connection: &mut PgConnection, address: &SavedAddress) -> Result<(), Error> {
    let SavedAddress { id, label, postal, is_default, created_at: _, updated_at } = address;
    sqlx::query(
        "update addresses set label = $2, recipient = $3, street = $4, city = $5,
             postal_code = $6, country_code = $7, is_default = $8, updated_at = $9
         where id = $1",
    )
    .bind(id)
    .bind(label)
    .bind(&postal.recipient)
    .bind(&postal.street)
    .bind(&postal.city)
    .bind(&postal.postal_code)
    .bind(&postal.country_code)
    .bind(is_default)
    .bind(updated_at)
    .execute(connection)
    .await?;
    Ok(())
}
