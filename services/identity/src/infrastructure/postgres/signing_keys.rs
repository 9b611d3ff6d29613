//! Signing keys, shared by all replicas; their private halves are sealed.

use secrecy::{ExposeSecret, SecretString};
use sqlx::{PgConnection, PgPool};
use time::{Duration, OffsetDateTime};

use super::security_events;
use crate::core::Error;
use crate::core::ports::Replace;
use crate::domain::{Event, KeyInfo, KeyPlan};
use crate::infrastructure::sealing::Sealing;

/// A new key.
pub struct NewKey {
    /// RFC 7638 thumbprint of the public key.
    pub kid: String,
    /// PKCS #8, PEM.
    pub private_key: SecretString,
    /// SEC 1, uncompressed.
    pub public_key: Vec<u8>,
}

/// A key as it is kept.
#[derive(sqlx::FromRow)]
pub struct KeyRow {
    pub kid: String,
    pub public_key: Vec<u8>,
    sealed_key: Option<Vec<u8>>,
    created_at: OffsetDateTime,
    signs_at: OffsetDateTime,
    retires_at: Option<OffsetDateTime>,
}

impl KeyRow {
    pub fn info(&self) -> KeyInfo {
        let Self { kid, created_at, signs_at, retires_at, .. } = self;
        let (created_at, signs_at, retires_at) = (*created_at, *signs_at, *retires_at);
        KeyInfo { kid: kid.clone(), created_at, signs_at, retires_at }
    }

    /// Its private half, PKCS #8, PEM.
    pub fn open(&self, sealing: &Sealing) -> Result<SecretString, Error> {
        let sealed = self.sealed_key.as_deref().unwrap_or_default();
        let opened = sealing.open(&of(&self.kid), sealed)?;
        let pem = String::from_utf8(opened.expose_secret().to_vec()).map_err(Error::internal)?;
        Ok(pem.into())
    }
}

/// What a private half is sealed for.
fn of(kid: &str) -> String {
    format!("signing_keys/{kid}")
}

/// How long keys are remembered after they are published no more.
const REMEMBERED: Duration = Duration::days(1);

type Make = fn() -> Result<NewKey, Error>;

/// Every key that is published, newest first.
pub async fn published(pool: &PgPool) -> Result<Vec<KeyRow>, Error> {
    let sql = "select kid, public_key, sealed_key, created_at, signs_at, retires_at
               from signing_keys where retires_at is null or retires_at > $1
               order by created_at desc, kid";
    Ok(sqlx::query_as(sql).bind(types::now()).fetch_all(pool).await?)
}

/// Makes the first key where there is none, which signs at once: of replicas that
/// start together one makes it. Seals what an older release kept in the clear.
pub async fn ensure(pool: &PgPool, sealing: &Sealing, make: Make) -> Result<(), Error> {
    let mut tx = postgres::begin(pool).await?;
    lock(&mut tx).await?;
    let clear: Vec<(String, String)> =
        sqlx::query_as("select kid, private_key from signing_keys where private_key is not null")
            .fetch_all(&mut *tx)
            .await?;
    for (kid, private_key) in clear {
        let sealed = sealing.seal(&of(&kid), private_key.as_bytes())?;
        sqlx::query("update signing_keys set sealed_key = $2, private_key = null where kid = $1")
            .bind(kid)
            .bind(sealed)
            .execute(&mut *tx)
            .await?;
    }
    if newest(&mut tx).await?.is_none() {
        let (key, now) = (make()?, types::now());
        insert(&mut tx, sealing, &key, now, now).await?;
        tracing::info!(key.kid = key.kid, "made the first signing key");
    }
    Ok(tx.commit().await?)
}

/// Makes the newest key's successor, if it is time; answers it.
pub async fn succeed(
    pool: &PgPool,
    sealing: &Sealing,
    plan: &KeyPlan,
    replace: Replace,
    event: &Event,
    make: Make,
) -> Result<Option<KeyInfo>, Error> {
    let (mut tx, now) = (postgres::begin(pool).await?, event.at);
    if let Replace::WhenDue = replace {
        // Nearly always not: no lock for finding that out.
        let newest = newest(&mut tx).await?;
        if newest.is_some_and(|newest| !plan.is_due(&newest.info(), now)) {
            return Ok(None);
        }
    }
    lock(&mut tx).await?;
    let newest = newest(&mut tx).await?.ok_or_else(|| Error::internal("no signing key"))?.info();
    let wanted = match replace {
        Replace::Now => newest.may_sign(now),
        Replace::WhenDue => plan.is_due(&newest, now),
    };
    if !wanted {
        return Ok(None);
    }
    let (signs_at, predecessor_retires_at) = plan.succession(now);
    let key = make()?;
    sqlx::query("update signing_keys set retires_at = $1 where retires_at is null")
        .bind(predecessor_retires_at)
        .execute(&mut *tx)
        .await?;
    sqlx::query("delete from signing_keys where retires_at < $1")
        .bind(now - REMEMBERED)
        .execute(&mut *tx)
        .await?;
    insert(&mut tx, sealing, &key, now, signs_at).await?;
    security_events::record(&mut tx, event).await?;
    tx.commit().await?;
    Ok(Some(KeyInfo { kid: key.kid, created_at: now, signs_at, retires_at: None }))
}

/// Against other writers only: readers of the public keys go on.
async fn lock(connection: &mut PgConnection) -> Result<(), Error> {
    sqlx::query("lock table signing_keys in share row exclusive mode").execute(connection).await?;
    Ok(())
}

async fn newest(connection: &mut PgConnection) -> Result<Option<KeyRow>, Error> {
    let sql = "select kid, public_key, sealed_key, created_at, signs_at, retires_at
               from signing_keys order by created_at desc, kid limit 1";
    Ok(sqlx::query_as(sql).fetch_optional(connection).await?)
}

async fn insert(
    connection: &mut PgConnection,
    sealing: &Sealing,
    key: &NewKey,
    now: OffsetDateTime,
    signs_at: OffsetDateTime,
) -> Result<(), Error> {
    let sealed = sealing.seal(&of(&key.kid), key.private_key.expose_secret().as_bytes())?;
    sqlx::query(
        "insert into signing_keys (kid, sealed_key, public_key, created_at, signs_at)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(&key.kid)
    .bind(sealed)
    .bind(&key.public_key)
    .bind(now)
    .bind(signs_at)
    .execute(connection)
    .await?;
    Ok(())
}
