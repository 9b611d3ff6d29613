//! What the carts know of people.

use std::collections::HashMap;

use async_trait::async_trait;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{KEEP_SECONDS, RedisCarts, erased, quantities, settled, times, unavailable};
use crate::core::{Error, Kept, People};
use crate::domain::Line;

#[async_trait]
impl People for RedisCarts {
    async fn kept(&self, user: Uuid) -> Result<Kept, Error> {
        let mut pipe = redis::pipe();
        pipe.atomic().cmd("ZRANGE").arg(times(user)).arg(0).arg(-1).arg("WITHSCORES");
        pipe.cmd("HGETALL").arg(quantities(user));
        pipe.cmd("ZRANGE").arg(settled(user)).arg(0).arg(-1).arg("WITHSCORES");
        let mut connection = self.connection.clone();
        let (added, quantities, orders): (Vec<Scored>, HashMap<String, i32>, Vec<Scored>) =
            pipe.query_async(&mut connection).await.map_err(unavailable)?;
        let lines = added.iter().filter_map(|(product, micros)| {
            let quantity = *quantities.get(product)?;
            let line = Line { product: Uuid::try_parse(product).ok()?, quantity };
            Some((line, at(*micros / 1e6)?))
        });
        let orders = orders
            .iter()
            .filter_map(|(order, seconds)| Some((Uuid::try_parse(order).ok()?, at(*seconds)?)));
        Ok(Kept { lines: lines.collect(), settled: orders.collect() })
    }

    async fn erase(&self, user: Uuid) -> Result<(), Error> {
        let mut pipe = redis::pipe();
        pipe.atomic().cmd("SET").arg(erased(user)).arg(1).arg("EX").arg(KEEP_SECONDS).ignore();
        pipe.cmd("DEL").arg(&[quantities(user), times(user), settled(user)]).ignore();
        let mut connection = self.connection.clone();
        pipe.query_async(&mut connection).await.map_err(unavailable)
    }
}

/// A member of a sorted set.
type Scored = (String, f64);

/// Times are whole microseconds or seconds: exact far beyond any date of ours.
fn at(seconds: f64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(seconds as i64).ok()
}
