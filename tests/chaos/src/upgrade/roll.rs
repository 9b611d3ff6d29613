//! Processes of two releases side by side, and who follows whom.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::Client;
use stack::{Options, SERVICES, Stack};
use tokio::time::sleep;

use super::before::Early;
use super::phases::Phases;
use super::{PATIENCE, Settings};
use crate::check::Stores;

/// How long processes that came too early are watched.
const WATCHED: Duration = Duration::from_secs(8);
/// An old process that has not ended by then was not asked well.
const END: Duration = Duration::from_secs(30);
/// What the edge forgets about its connections within.
const DRAINED: Duration = Duration::from_secs(5);
/// What a process logs while its schema is behind (`shared/postgres`).
const WAITS: &str = "the database schema is behind";
const TICK: Duration = Duration::from_millis(50);

/// The next release, beside the one that runs.
pub struct Rollout<'a> {
    stack: &'a Stack,
    bin: PathBuf,
    http: Client,
    /// The edge of the next release, with its guard and its pages, and the provider.
    edge: Options,
    /// The admin ports of the next release's processes.
    admin: Mutex<HashMap<String, u16>>,
}

impl<'a> Rollout<'a> {
    pub fn new(stack: &'a Stack, settings: &Settings) -> Result<Self> {
        let mut edge = stack.options().clone();
        edge.root.clone_from(&settings.next);
        edge.ports.edge_admin = edge.ports.another()?;
        edge.ports.guard = edge.ports.another()?;
        edge.ports.docs = edge.ports.another()?;
        edge.ports.sandbox = edge.ports.another()?;
        let http = Client::builder().timeout(Duration::from_secs(5)).no_proxy().build()?;
        Ok(Self { stack, bin: settings.next.join("bin"), http, edge, admin: Mutex::default() })
    }

    /// Everything that is replaced, in the order in which it is at first.
    pub fn services(&self) -> Vec<&'static str> {
        SERVICES.into_iter().chain(["edge"]).collect()
    }

    /// Starts the next release's services before anybody has brought its schema, and
    /// watches them.
    pub async fn too_early(&self) -> Result<Vec<Early>> {
        let mut early: Vec<Early> = SERVICES.map(Early::new).into();
        let waits = [("DATABASE_MIGRATIONS", "expect"), ("STARTUP_DEADLINE_SECONDS", "300")];
        for service in SERVICES {
            self.start(service, &early_name(service), &waits)?;
        }
        let (began, ports) = (Instant::now(), &self.stack.options().ports);
        // Until everybody has made up his mind, and a little longer.
        while began.elapsed() < WATCHED || early.iter().any(|process| !process.decided()) {
            ensure!(began.elapsed() < PATIENCE, "processes neither serve nor wait");
            for process in &mut early {
                let name = early_name(process.service);
                match self.stack.pid_of(&name) {
                    // It may end while it is looked at: the next look will tell.
                    Some(pid) => drop(process.watch(pid, ports.grpc(process.service), ports.amqp)),
                    None => process.ended = true,
                }
                process.ready |= self.is_ready(&name).await;
                process.waits |= std::fs::read_to_string(self.stack.log_of(&name))?.contains(WAITS);
            }
            sleep(TICK).await;
        }
        Ok(early)
    }

    /// Ends them: those that serve as processes of a service do, the others at once.
    pub async fn withdraw(&self, early: &[Early]) -> Result<()> {
        for process in early {
            let name = early_name(process.service);
            match process.ready {
                true => self.end(&name).await?,
                false => self.stack.kill(&name)?,
            }
        }
        Ok(())
    }

    /// Brings every schema to the next release; answers how many migrations each gained.
    pub async fn migrate(&self, stores: &Stores) -> Result<Vec<(&'static str, i64)>> {
        let mut gained = Vec::new();
        for (service, pool) in stores.all() {
            gained.push((service, pool, applied(pool).await?));
            self.start(service, &job(service), &[("DATABASE_MIGRATIONS", "only")])?;
        }
        let mut all = Vec::new();
        for (service, pool, before) in gained {
            let status = self.ended(&job(service), PATIENCE).await?;
            let log = self.stack.log_of(&job(service));
            ensure!(status.success(), "migrations of {service}: {status}; {}", log.display());
            all.push((service, applied(pool).await? - before));
        }
        Ok(all)
    }

    /// Puts the other release's process beside the one that runs, lets customers order
    /// from both, and ends the old one. False when they cannot order.
    pub async fn replace(
        &self,
        service: &'static str,
        to_next: bool,
        phases: &mut Phases<'_>,
        violations: &mut Vec<String>,
    ) -> Result<bool> {
        let (usual, next) = (service.to_owned(), format!("{service}-next"));
        let (old, new) = if to_next { (usual, next) } else { (next, usual) };
        if service == "edge" {
            self.start_edge(&new, to_next).await?;
        } else {
            self.start_service(service, &new).await?;
        }
        let went_on = phases.orders().await;
        if service == "edge" {
            self.end_edge(&old).await?;
        } else if let Err(error) = self.end(&old).await {
            violations.push(format!("{old}: {error:#}"));
        }
        Ok(went_on && phases.orders().await)
    }

    async fn start_service(&self, service: &str, name: &str) -> Result<()> {
        let again = self.stack.names().iter().any(|known| known == name);
        if again {
            self.stack.restart(name)?;
        } else {
            let provider = format!("http://127.0.0.1:{}", self.edge.ports.sandbox);
            let mut settings = vec![("DATABASE_MIGRATIONS", "expect")];
            if service == "payments" {
                let here = format!("127.0.0.1:{}", self.edge.ports.sandbox);
                self.start("sandbox", "sandbox-next", &[("HTTP_ADDR", &here)])?;
                self.ready("sandbox-next").await?;
                settings.push(("SANDBOX_URL", &provider));
            }
            self.start(service, name, &settings)?;
        }
        self.ready(name).await
    }

    async fn start_edge(&self, name: &str, to_next: bool) -> Result<()> {
        let options = if to_next { self.edge.clone() } else { self.stack.options().clone() };
        if to_next && !self.stack.is_alive("guard-next") {
            let address = |port: u16| format!("127.0.0.1:{port}");
            let (guard, docs) = (address(options.ports.guard), address(options.ports.docs));
            let document = options.root.join("docs/api/openapi.yaml").display().to_string();
            self.start("guard", "guard-next", &[("HTTP_ADDR", &guard)])?;
            self.start("docs", "docs-next", &[("HTTP_ADDR", &docs), ("DOCUMENT", &document)])?;
            self.ready("guard-next").await?;
            self.ready("docs-next").await?;
        }
        let admin = options.ports.edge_admin;
        self.stack.start_edge(name, options).await?;
        self.tell_edge(admin, "runtime_modify?edge.rate_limit_percent=0").await
    }

    /// Connections are told to go elsewhere, then it ends.
    async fn end_edge(&self, name: &str) -> Result<()> {
        let usual = name == "edge";
        let admin = if usual { self.stack.options() } else { &self.edge }.ports.edge_admin;
        self.tell_edge(admin, "healthcheck/fail").await?;
        self.tell_edge(admin, "drain_listeners").await?;
        let (active, over) = ("http.edge.downstream_cx_active", Instant::now() + DRAINED);
        while Instant::now() < over {
            let url = format!("http://127.0.0.1:{admin}/stats?filter=^{active}$");
            let left = self.http.get(url).send().await?.text().await?;
            if left.trim().ends_with(": 0") {
                break;
            }
            sleep(TICK).await;
        }
        self.stack.terminate(name)?;
        self.ended(name, END).await.map(drop)
    }

    async fn tell_edge(&self, admin: u16, what: &str) -> Result<()> {
        let url = format!("http://127.0.0.1:{admin}/{what}");
        self.http.post(url).send().await?.error_for_status()?;
        Ok(())
    }

    /// A process of the next release, with an admin port of its own.
    fn start(&self, service: &str, name: &str, settings: &[(&str, &str)]) -> Result<()> {
        let admin = self.edge.ports.another()?;
        self.admins().insert(name.to_owned(), admin);
        let address = format!("127.0.0.1:{admin}");
        let mut all = vec![("ADMIN_ADDR", address.as_str())];
        all.extend_from_slice(settings);
        self.stack.start_beside(service, name, &self.bin, &all)
    }

    fn admins(&self) -> MutexGuard<'_, HashMap<String, u16>> {
        self.admin.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks a process to end, which it has to do well.
    async fn end(&self, name: &str) -> Result<()> {
        self.stack.terminate(name)?;
        let status = self.ended(name, END).await?;
        ensure!(status.success(), "it ended with {status}");
        Ok(())
    }

    async fn ended(&self, name: &str, limit: Duration) -> Result<ExitStatus> {
        let over = Instant::now() + limit;
        loop {
            if let Some(status) = self.stack.exit(name)? {
                return Ok(status);
            }
            ensure!(Instant::now() < over, "it has not ended after {} s", limit.as_secs());
            sleep(TICK).await;
        }
    }

    async fn ready(&self, name: &str) -> Result<()> {
        let over = Instant::now() + PATIENCE;
        while !self.is_ready(name).await {
            let log = self.stack.log_of(name);
            ensure!(self.stack.is_alive(name), "{name} ended: {}", log.display());
            ensure!(Instant::now() < over, "{name} is not ready: {}", log.display());
            sleep(TICK).await;
        }
        Ok(())
    }

    async fn is_ready(&self, name: &str) -> bool {
        let own = self.admins().get(name).copied();
        let admin = own.unwrap_or_else(|| self.stack.options().ports.admin(name));
        let answer = self.http.get(format!("http://127.0.0.1:{admin}/readyz")).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }
}

fn early_name(service: &str) -> String {
    format!("{service}-early")
}

fn job(service: &str) -> String {
    format!("{service}-migrate")
}

async fn applied(pool: &sqlx::PgPool) -> Result<i64> {
    let sql = "select count(*) from _sqlx_migrations where success";
    sqlx::query_scalar(sql).fetch_one(pool).await.context("nothing was ever migrated")
}
