//! The platform with a door on every way, and what can be done to it.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use stack::{Detour, Options, Ports, Quiet, SERVICES, Stack};
use testkit::{Door, Way};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::plan::{Fault, LINKS, Link, REPLICATED};
use crate::run::Settings;

/// The share of memory from which on RabbitMQ raises its alarm, by default.
const USUAL_MEMORY: f64 = 0.4;
const NO_MEMORY: f64 = 0.000_001;
/// A process that is not back by then will not come back.
const RETURN: Duration = Duration::from_secs(120);

/// The running platform.
pub struct Platform {
    pub stack: Stack,
    doors: HashMap<Link, Door>,
    /// Whoever is suffering: the next fault that means it waits.
    busy: Mutex<HashMap<String, Arc<Mutex<()>>>>,
}

/// A door that does not stand where another process will listen.
async fn door(ports: &Ports, link: Link) -> Result<Door> {
    loop {
        let door = Door::to(ports.of(link.to)).await?;
        if !ports.contains(door.addr().port()) {
            return Ok(door);
        }
    }
}

impl Platform {
    /// Starts the platform with an empty state of its own.
    pub async fn start(settings: &Settings) -> Result<Self> {
        let mut options = Options::private(&settings.root, &settings.name)?;
        if let Some(dir) = &settings.bin_dir {
            options.bin_dir.clone_from(dir);
        }
        for service in REPLICATED {
            options.add_replica(service)?;
        }
        let mut doors = HashMap::new();
        for link in LINKS {
            let door = door(&options.ports, link).await?;
            let (from, to) = (link.from.to_owned(), link.to.to_owned());
            options.detours.push(Detour { from, to, port: door.addr().port() });
            doors.insert(link, door);
        }
        let leases = [
            // A crash is noticed when the lease of the dead process is over.
            ("orders", "SAGA_LEASE_MS", "5000"),
            // Short enough that some checkouts do not make it.
            ("orders", "SAGA_DEADLINE_MS", "20000"),
        ];
        let sabotage = settings.sabotage.as_deref();
        let sabotages = ["orders", "notifications"].into_iter().zip(sabotage.into_iter().cycle());
        let sabotages = sabotages.map(|(process, name)| (process, "SABOTAGE", name));
        let all = leases.into_iter().chain(sabotages);
        options.settings.extend(all.map(|(p, n, v)| (p.into(), n.into(), v.into())));
        let stack = Stack::start(options, &mut Quiet).await?;
        stack.limit_rates(false).await?;
        Ok(Self { stack, doors, busy: Mutex::default() })
    }

    /// Lets something go wrong for a while, and makes it good again. Answers when
    /// it began and when it was good again.
    pub async fn suffer(&self, fault: Fault, lasts: Duration) -> Result<(Instant, Instant)> {
        let turn = Arc::clone(self.busy.lock().await.entry(fault.target()).or_default());
        let _turn = turn.lock().await;
        let began = Instant::now();
        self.begin(fault).await.with_context(|| fault.to_string())?;
        sleep(lasts).await;
        self.end(fault).await.with_context(|| format!("{fault} cannot be made good"))?;
        Ok((began, Instant::now()))
    }

    /// Waits until every service says that it can do its work.
    pub async fn ready(&self) -> Result<()> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
        let deadline = Instant::now() + RETURN;
        let replicas = self.stack.options().replicas.iter().map(String::as_str);
        for service in SERVICES.into_iter().chain(replicas) {
            let url = format!("{}/readyz", self.stack.service_admin_url(service));
            while !http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                if Instant::now() > deadline {
                    bail!("{service} is not ready again: {}", self.stack.log_of(service).display());
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }

    async fn begin(&self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Kill(name) => self.stack.kill(name),
            Fault::Pause(name) => self.stack.pause(name),
            Fault::Cut(link) => self.set(link, Way::Shut),
            Fault::Hole(link) => self.set(link, Way::Hole),
            Fault::Slow(link) => self.set(link, Way::Slow),
            Fault::Alarm => self.stack.limit_broker(NO_MEMORY).await,
        }
    }

    async fn end(&self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Kill(name) => self.bring_back(name).await,
            Fault::Pause(name) => self.stack.resume(name),
            Fault::Cut(link) | Fault::Hole(link) | Fault::Slow(link) => self.set(link, Way::Open),
            Fault::Alarm => self.stack.limit_broker(USUAL_MEMORY).await,
        }
    }

    fn set(&self, link: Link, way: Way) -> Result<()> {
        self.doors.get(&link).with_context(|| format!("no door for {link}"))?.set(way);
        Ok(())
    }

    /// Starts a process until it listens. Some end at once when what they had left
    /// behind is still there.
    async fn bring_back(&self, name: &str) -> Result<()> {
        let deadline = Instant::now() + RETURN;
        let port = self.stack.options().ports.of(name);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
            if Instant::now() > deadline {
                bail!("it does not listen: {}", self.stack.log_of(name).display());
            }
            if !self.stack.is_alive(name) {
                self.stack.restart(name)?;
            }
            sleep(Duration::from_millis(50)).await;
        }
        if name == "edge" {
            // It has forgotten.
            while self.stack.limit_rates(false).await.is_err() && Instant::now() < deadline {
                sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }
}
