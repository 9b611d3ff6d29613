//! PostgreSQL, RabbitMQ and Redis alone, for the tests of the service crates.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::fleet::{Fleet, Step, together};
use crate::install::{self, Tools};
use crate::layout::Layout;
use crate::options::Ports;
use crate::postgres::Postgres;
use crate::probe::{Probe, client};
use crate::process::Record;
use crate::progress::Progress;
use crate::rabbitmq::{self, Access};
use crate::redis;
use crate::store_tls::StoreTls;
use crate::watchdog::Watchdog;
use crate::whole::down;

/// Running stores; stopped when dropped.
pub struct Stores {
    fleet: Fleet,
    ports: Ports,
    watchdog: Option<Watchdog>,
    _lock: File,
}

impl Stores {
    /// Starts the stores in `state`; what an earlier start left running there
    /// is stopped, and its data removed, first.
    pub async fn start(state: &Path, ports: Ports, progress: &mut dyn Progress) -> Result<Self> {
        let layout = Layout::new(state)?;
        let lock = layout.lock()?;
        down(state)?;
        layout.remove()?;
        layout.prepare()?;
        ports.check_free()?;
        let tools = install::stores(&layout, progress)?;
        let watchdog = Some(Watchdog::start(&layout)?);
        let stores = Self { fleet: Fleet::new(layout), ports, watchdog, _lock: lock };
        Record::supervisor()?.save(&stores.fleet.layout)?;
        let steps = steps(&stores.fleet, &tools, &stores.ports, &[], Access::Tests, None);
        together(progress, steps).await?;
        Ok(stores)
    }

    /// The variables that the tests of the service crates read.
    pub fn env(&self) -> Result<Vec<(&'static str, String)>> {
        let secret = |name| self.fleet.layout.secret(name);
        let Ports { postgres, redis, amqp, amqp_api, .. } = &self.ports;
        let (postgres_password, redis_password) = (secret("postgres")?, secret("redis")?);
        Ok(vec![
            (
                "STOA_TEST_POSTGRES_URL",
                format!("postgres://postgres:{postgres_password}@127.0.0.1:{postgres}"),
            ),
            ("STOA_TEST_REDIS_URL", format!("redis://default:{redis_password}@127.0.0.1:{redis}")),
            ("STOA_TEST_AMQP_URL", format!("amqp://guest:guest@127.0.0.1:{amqp}")),
            ("STOA_TEST_RABBITMQ_API", format!("http://guest:guest@127.0.0.1:{amqp_api}")),
        ])
    }

    /// Lets the stores run on; [`down`] stops them.
    pub fn detach(mut self) -> Result<()> {
        Record::supervisor()?.forget(&self.fleet.layout);
        self.fleet.release();
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.dismiss();
        }
        Ok(())
    }

    /// Ends a store at once, as a crash would.
    pub fn kill(&self, name: &str) -> Result<()> {
        self.fleet.kill(name)
    }

    /// Starts a store that has ended again, with its data; it may take a while until
    /// it answers.
    pub fn restart(&self, name: &str) -> Result<()> {
        self.fleet.respawn(name, &[])
    }

    /// The names of the processes that have ended by themselves.
    pub fn ended(&self) -> Vec<String> {
        self.fleet.ended()
    }
}

impl Drop for Stores {
    fn drop(&mut self) {
        self.fleet.stop();
        if let Some(watchdog) = self.watchdog.take() {
            let _ = Record::supervisor().map(|record| record.forget(&self.fleet.layout));
            watchdog.dismiss();
        }
    }
}

/// The steps that start the stores, to be run together.
pub(crate) fn steps(
    fleet: &Fleet,
    tools: &Tools,
    ports: &Ports,
    databases: &[&'static str],
    access: Access,
    tls: Option<StoreTls>,
) -> Vec<(String, Step)> {
    let postgres = Postgres::new(tools, ports.postgres, databases, tls.clone());
    let postgres = postgres.start(fleet.clone());
    let redis = redis::start(fleet.clone(), tools.clone(), ports.redis, tls.clone());
    let (broker, broker_fleet) = (fleet.clone(), fleet.clone());
    let (tools, ports) = (tools.clone(), ports.clone());
    let rabbitmq = async move {
        let api = format!("http://guest:guest@127.0.0.1:{}/api/overview", ports.amqp_api);
        rabbitmq::start(broker, tools, ports, access, tls).await?;
        if access == Access::Tests {
            let answers = Probe::Http(client()?, api);
            broker_fleet.ready("rabbitmq", &answers, Duration::from_secs(30)).await?;
        }
        Ok(())
    };
    vec![
        ("PostgreSQL".to_owned(), Box::pin(postgres)),
        ("Redis".to_owned(), Box::pin(redis)),
        ("RabbitMQ".to_owned(), Box::pin(rabbitmq)),
    ]
}
