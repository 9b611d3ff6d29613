//! How much a process takes on: more than it can do well, it refuses at once, while
//! what it took on is still answered in time (Site Reliability Engineering, chapters
//! 21 and 22).

use std::sync::Arc;
use std::time::Duration;

use proto::policy::{self, MethodPolicy};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Problem;

/// Load settings.
#[derive(clap::Args, Clone, Debug)]
pub struct LoadConfig {
    /// The most requests that are worked on at once. Streams, health checks and
    /// reflection do not count.
    #[arg(long, env = "MAX_IN_FLIGHT", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_in_flight: u32,
    /// How long a request may wait until it is worked on, in milliseconds; as many may
    /// wait as may be worked on. Whoever comes on top is refused.
    #[arg(long, env = "MAX_QUEUE_MS", default_value_t = 100)]
    pub max_queue_ms: u64,
}

/// Who is refused comes back after a second, one sooner, another later.
const COME_BACK: Duration = Duration::from_secs(1);

/// The places of a process.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    /// Requests that are here, waiting or worked on.
    here: Arc<Semaphore>,
    /// Requests that are worked on.
    in_flight: Arc<Semaphore>,
    patience: Duration,
}

/// A request's place, until it is answered.
#[derive(Debug)]
pub(crate) struct Place {
    _here: OwnedSemaphorePermit,
    _in_flight: OwnedSemaphorePermit,
}

impl Load {
    pub(crate) fn new(config: &LoadConfig) -> Self {
        let most = config.max_in_flight as usize;
        Self {
            here: Arc::new(Semaphore::new(most.saturating_mul(2).min(Semaphore::MAX_PERMITS))),
            in_flight: Arc::new(Semaphore::new(most)),
            patience: Duration::from_millis(config.max_queue_ms),
        }
    }

    /// Finds a place for a request. Nothing is for those that need none: a stream
    /// would hold it for minutes, and who asks for our health wants to know of it.
    pub(crate) async fn enter(&self, path: &str) -> Result<Option<Place>, Problem> {
        match policy::of(path) {
            Some(policy) if !policy.server_streaming => self.wait(policy).await.map(Some),
            _ => Ok(None),
        }
    }

    async fn wait(&self, policy: &MethodPolicy) -> Result<Place, Problem> {
        let full = || shed(policy);
        let here = Arc::clone(&self.here).try_acquire_owned().map_err(|_| full())?;
        let waiting = Arc::clone(&self.in_flight).acquire_owned();
        let found = tokio::time::timeout(self.patience, waiting).await;
        let in_flight = found.map_err(|_| full())?.map_err(|_| full())?;
        metrics::gauge!("rpc_server_in_flight").increment(1.0);
        Ok(Place { _here: here, _in_flight: in_flight })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!("rpc_server_in_flight").decrement(1.0);
    }
}

fn shed(policy: &MethodPolicy) -> Problem {
    metrics::counter!("rpc_server_shed_total", "rpc_method" => policy.name()).increment(1);
    Problem::overloaded(COME_BACK.mul_f64(0.5 + rand::random::<f64>()))
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    const UNARY: &str = "/stoa.orders.v1.OrderService/GetOrder";
    const STREAM: &str = "/stoa.orders.v1.OrderService/WatchOrder";

    fn load(max_in_flight: u32, max_queue_ms: u64) -> Load {
        Load::new(&LoadConfig { max_in_flight, max_queue_ms })
    }

    #[tokio::test]
    async fn the_one_too_many_is_refused_and_told_when_to_come_back() {
        let load = load(1, 0);
        let place = load.enter(UNARY).await.expect("the first").expect("a place");
        let problem = load.enter(UNARY).await.expect_err("the second");
        assert_eq!((problem.code(), problem.reason()), (Code::ResourceExhausted, "OVERLOADED"));
        drop(place);
        load.enter(UNARY).await.expect("there is a place again");
    }

    #[tokio::test]
    async fn who_waits_gets_the_place_of_the_next_that_is_done() {
        let load = load(1, 60_000);
        let place = load.enter(UNARY).await.expect("the first");
        let (second, ()) = tokio::join!(load.enter(UNARY), async { drop(place) });
        second.expect("waited for");
    }

    #[tokio::test]
    async fn no_more_may_wait_than_may_be_worked_on() {
        let load = load(1, 60_000);
        let _place = load.enter(UNARY).await.expect("the first");
        let second = load.enter(UNARY);
        tokio::pin!(second);
        assert!(futures::poll!(&mut second).is_pending(), "the second waits");
        load.enter(UNARY).await.expect_err("the third does not");
    }

    #[tokio::test]
    async fn streams_and_health_checks_need_no_place() {
        let load = load(1, 0);
        let _place = load.enter(UNARY).await.expect("the first");
        for path in [STREAM, "/grpc.health.v1.Health/Check"] {
            assert!(load.enter(path).await.expect("let in").is_none(), "{path}");
        }
    }
}
