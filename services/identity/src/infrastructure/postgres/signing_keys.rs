//! Signing keys, shared by all replicas.

use secrecy::{ExposeSecret, SecretString};
use sqlx::{PgConnection, PgPool};

use crate::core::Error;

/// A signing key as it is kept.
#[derive(Clone)]
pub struct StoredKey {
    /// RFC 7638 thumbprint of the public key.
    pub kid: String,
    /// PKCS #8, PEM.
    pub private_key: SecretString,
    /// SEC 1, uncompressed.
    pub public_key: Vec<u8>,
}

/// The public half of a signing key.
#[derive(sqlx::FromRow)]
pub struct PublicRow {
    pub kid: String,
    pub public_key: Vec<u8>,
}

/// The newest key. Where there is none yet, keeps what `make` makes: of replicas
/// that start together one keeps its key and the others take that one.
pub async fn newest_or(
    pool: &PgPool,
    make: impl FnOnce() -> Result<StoredKey, Error>,
) -> Result<StoredKey, Error> {
    let mut tx = pool.begin().await?;
    // Against other writers only: readers of the public keys go on.
    sqlx::query("lock table signing_keys in share row exclusive mode").execute(&mut *tx).await?;
    let key = match newest(&mut tx).await? {
        Some(key) => key,
        None => {
            let key = make()?;
            insert(&mut tx, &key).await?;
            tracing::info!(kid = key.kid, "made the first signing key");
            key
        }
    };
    tx.commit().await?;
    Ok(key)
}

/// The public halves of all keys, newest first.
pub async fn published(pool: &PgPool) -> Result<Vec<PublicRow>, Error> {
    let sql = "select kid, public_key from signing_keys order by created_at desc, kid";
    Ok(sqlx::query_as(sql).fetch_all(pool).await?)
}

async fn newest(connection: &mut PgConnection) -> Result<Option<StoredKey>, Error> {
    let row: Option<(String, String, Vec<u8>)> = sqlx::query_as(
        "select kid, private_key, public_key from signing_keys
         order by created_at desc, kid limit 1",
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(kid, private_key, public_key)| StoredKey {
        kid,
        private_key: private_key.into(),
        public_key,
    }))
}

async fn insert(connection: &mut PgConnection, key: &StoredKey) -> Result<(), Error> {
    sqlx::query(
        "insert into signing_keys (kid, private_key, public_key, created_at)
         values ($1, $2, $3, $4)",
    )
    .bind(&key.kid)
    .bind(key.private_key.expose_secret())
    .bind(&key.public_key)
    .bind(types::now())
    .execute(connection)
    .await?;
    Ok(())
}
