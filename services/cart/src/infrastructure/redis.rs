//! The carts in Redis: per user a hash of quantities and a sorted set of the times
//! at which products were first added, a sorted set of the orders that were taken out,
//! and, after an erasure, a tombstone alone. Scripts keep them in step.

mod people;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, Script, TlsCertificates};
use secrecy::ExposeSecret;
use tracing::instrument;
use uuid::Uuid;

use crate::config::Config;
use crate::core::{Added, CartStore, Error};
use crate::domain::{Line, MAX_LINES, MAX_QUANTITY};

/// A cart that nobody touches for this long is forgotten, in seconds. Tombstones stay as
/// long: no token lives and nothing is on its way that long.
const KEEP_SECONDS: u64 = 30 * 24 * 3600;

/// An answer that takes longer is treated as none.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Carts in Redis.
pub struct RedisCarts {
    connection: ConnectionManager,
    add: Script,
    set: Script,
    settle: Script,
}

impl RedisCarts {
    /// Connects, waiting for the server until `deadline` has passed.
    pub async fn connect(config: &Config, deadline: Duration) -> Result<Self> {
        let client = client(config)?;
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(ANSWER_WITHIN))
            .set_connection_timeout(Some(ANSWER_WITHIN))
            .set_number_of_retries(1);
        let started = Instant::now();
        loop {
            match client.get_connection_manager_with_config(config.clone()).await {
                Ok(connection) => return Ok(Self::new(connection)),
                Err(error) if started.elapsed() >= deadline => {
                    bail!("no Redis within {deadline:?} (REDIS_URL): {error}");
                }
                Err(error) => {
                    tracing::warn!(error = %error, "no Redis yet (REDIS_URL); trying again");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }

    fn new(connection: ConnectionManager) -> Self {
        Self {
            connection,
            add: Script::new(include_str!("redis/add.lua")),
            set: Script::new(include_str!("redis/set.lua")),
            settle: Script::new(include_str!("redis/settle.lua")),
        }
    }

    /// True when the server answers.
    pub async fn is_up(&self) -> bool {
        let mut connection = self.connection.clone();
        redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok()
    }
}

fn client(config: &Config) -> Result<Client> {
    let url = config.redis_url.expose_secret();
    let client = match &config.redis_ca {
        None => Client::open(url),
        Some(path) => {
            let authority = std::fs::read(path).context("REDIS_CA cannot be read")?;
            let certificates = TlsCertificates { client_tls: None, root_cert: Some(authority) };
            Client::build_with_tls(url, certificates)
        }
    };
    client.context("REDIS_URL is not a Redis URL, or REDIS_CA is no certificate")
}

/// The braces keep a user's keys on one node of a Redis cluster.
fn quantities(user: Uuid) -> String {
    format!("cart:{{{user}}}:quantities")
}

fn times(user: Uuid) -> String {
    format!("cart:{{{user}}}:times")
}

/// Orders that were taken out, by when.
fn settled(user: Uuid) -> String {
    format!("cart:{{{user}}}:settled")
}

/// There when the user was erased.
fn erased(user: Uuid) -> String {
    format!("cart:{{{user}}}:erased")
}

fn unavailable(error: RedisError) -> Error {
    Error::StoreUnavailable(error.to_string())
}

#[async_trait]
impl CartStore for RedisCarts {
    #[instrument(name = "redis lines", skip_all, fields(otel.kind = "client"))]
    async fn lines(&self, user: Uuid) -> Result<Vec<Line>, Error> {
        let mut pipe = redis::pipe();
        pipe.atomic().cmd("ZRANGE").arg(times(user)).arg(0).arg(-1);
        pipe.cmd("HGETALL").arg(quantities(user));
        let mut connection = self.connection.clone();
        let (order, quantities): (Vec<String>, HashMap<String, i32>) =
            pipe.query_async(&mut connection).await.map_err(unavailable)?;
        let lines = order.iter().filter_map(|product| {
            let quantity = *quantities.get(product)?;
            Some(Line { product: Uuid::try_parse(product).ok()?, quantity })
        });
        Ok(lines.collect())
    }

    #[instrument(name = "redis add", skip_all, fields(otel.kind = "client"))]
    async fn add(&self, user: Uuid, line: Line) -> Result<Added, Error> {
        let mut call = self.add.key(quantities(user));
        call.key(times(user)).key(erased(user));
        call.arg(line.product.to_string()).arg(line.quantity);
        call.arg(MAX_LINES).arg(MAX_QUANTITY).arg(now_micros()).arg(KEEP_SECONDS);
        let mut connection = self.connection.clone();
        let outcome: String = call.invoke_async(&mut connection).await.map_err(unavailable)?;
        Ok(match outcome.as_str() {
            "cart_full" => Added::CartFull,
            "quantity_too_large" => Added::QuantityTooLarge,
            "erased" => Added::UserErased,
            _ => Added::Done,
        })
    }

    #[instrument(name = "redis set", skip_all, fields(otel.kind = "client"))]
    async fn set(&self, user: Uuid, line: Line) -> Result<bool, Error> {
        let mut call = self.set.key(quantities(user));
        call.key(times(user)).arg(line.product.to_string()).arg(line.quantity).arg(KEEP_SECONDS);
        let mut connection = self.connection.clone();
        call.invoke_async(&mut connection).await.map_err(unavailable)
    }

    #[instrument(name = "redis clear", skip_all, fields(otel.kind = "client"))]
    async fn clear(&self, user: Uuid) -> Result<(), Error> {
        let mut connection = self.connection.clone();
        let keys = [quantities(user), times(user)];
        redis::cmd("DEL").arg(&keys).query_async(&mut connection).await.map_err(unavailable)
    }

    #[instrument(name = "redis settle", skip_all, fields(otel.kind = "client"))]
    async fn settle(&self, user: Uuid, order: Uuid, lines: &[Line]) -> Result<(), Error> {
        let mut call = self.settle.key(quantities(user));
        call.key(times(user)).key(settled(user)).key(erased(user));
        call.arg(order.to_string()).arg(types::now().unix_timestamp()).arg(KEEP_SECONDS);
        for line in lines {
            call.arg(line.product.to_string()).arg(line.quantity);
        }
        let mut connection = self.connection.clone();
        call.invoke_async(&mut connection).await.map_err(unavailable)
    }
}

fn now_micros() -> i64 {
    (types::now().unix_timestamp_nanos() / 1_000) as i64
}
