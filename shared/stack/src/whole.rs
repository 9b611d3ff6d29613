//! The whole platform: stores, services, edge, catalogue.

mod beside;
mod places;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::process::Signal;

use crate::addresses;
use crate::console;
use crate::edge;
use crate::fleet::{Fleet, Step, together};
use crate::install;
use crate::layout::Layout;
use crate::observe;
use crate::options::Options;
use crate::pki::{Keeper, Pki};
use crate::process::{self, Phase, Record, Spec, recorded, running};
use crate::progress::Progress;
use crate::rabbitmq::{self, Access};
use crate::seed;
use crate::services::{self, DATABASES};
use crate::smtp;
use crate::store_tls::StoreTls;
use crate::stores;
use crate::synthetic;
use crate::viewer;
use crate::watchdog::Watchdog;

/// A running platform; stopped when dropped, and by a watchdog when its owner
/// dies without a chance to drop it.
pub struct Stack {
    fleet: Fleet,
    options: Options,
    watchdog: Option<Watchdog>,
    _keeper: Keeper,
    _lock: File,
}

impl Stack {
    /// Starts everything and waits until the edge answers.
    ///
    /// What an earlier start left running in the same state directory is
    /// stopped first. Fails, with nothing left running, when a program is
    /// missing, a port is taken or a part does not become ready; the error
    /// names the part and shows the end of its log.
    pub async fn start(options: Options, progress: &mut dyn Progress) -> Result<Self> {
        let options = options.collected();
        let layout = Layout::new(&options.state)?;
        let lock = layout.lock()?;
        down(&options.state)?;
        if options.fresh {
            layout.remove()?;
        }
        layout.prepare()?;
        options.ports.check_free()?;
        addresses::write(&layout, &options.ports)?;
        let tools = install::stores(&layout, progress)?;
        let python = install::python(&layout, progress)?;
        viewer::install(&layout, progress)?;
        let watchers = match options.observe {
            true => Some(observe::install(&layout, progress)?),
            false => None,
        };
        let pki = Pki::renew(&layout.path("pki"))?;
        let watchdog = Some(Watchdog::start(&layout)?);
        // From here on the drop of `stack` ends whatever was started.
        let (fleet, keeper) = (Fleet::new(layout), Keeper::start(pki.clone()));
        let stack = Self { fleet, options, watchdog, _keeper: keeper, _lock: lock };
        let (fleet, options) = (&stack.fleet, &stack.options);
        Record::supervisor()?.save(&fleet.layout)?;

        let smtp = smtp::start(fleet.clone(), python.clone(), options.ports.smtp);
        let access = Access::Platform { metrics: options.observe };
        let tls = match options.plain_stores {
            true => None,
            false => Some(StoreTls::new(&fleet.layout)?),
        };
        let mut steps = stores::steps(fleet, &tools, &options.ports, &DATABASES, access, tls);
        steps.push(("SMTP".to_owned(), Box::pin(smtp)));
        if options.console {
            // Before those who send it their traces.
            let console = console::start(fleet.clone(), options.clone());
            steps.push(("console".to_owned(), Box::pin(console)));
        }
        together(progress, steps).await?;
        together(progress, services::steps(fleet, options, &pki)?).await?;
        let edge = edge::start(edge::EDGE, fleet.clone(), options.clone(), pki, python);
        together(progress, vec![("edge".to_owned(), Box::pin(edge) as Step)]).await?;
        if options.seed {
            stack.seed(progress).await?;
        }
        if let Some(watchers) = watchers {
            stack.observe(watchers, progress).await?;
        }
        Ok(stack)
    }

    async fn seed(&self, progress: &mut dyn Progress) -> Result<()> {
        let began = Instant::now();
        let added = seed::fill(&self.options).await?;
        if added > 0 {
            progress.done(&format!("catalogue of {added} products"), began.elapsed());
        }
        Ok(())
    }

    /// Starts what watches the rest.
    async fn observe(
        &self,
        watchers: observe::Programs,
        progress: &mut dyn Progress,
    ) -> Result<()> {
        let (fleet, options) = (&self.fleet, &self.options);
        let admin = (self.admin_email(), self.admin_password()?);
        synthetic::account(&self.edge_url(), admin, self.layout()).await?;
        let mut steps = observe::steps(fleet, options, watchers)?;
        let prober = synthetic::start(fleet.clone(), options.clone());
        steps.push(("prober".to_owned(), Box::pin(prober)));
        together(progress, steps).await
    }

    /// The log file of a process.
    pub fn log_of(&self, name: &str) -> PathBuf {
        self.layout().log(name)
    }

    /// The names of all processes.
    pub fn names(&self) -> Vec<String> {
        self.fleet.names()
    }

    /// Whether a process runs.
    pub fn is_alive(&self, name: &str) -> bool {
        self.fleet.is_alive(name)
    }

    /// The names of the processes that have ended by themselves.
    pub fn ended(&self) -> Vec<String> {
        self.fleet.ended()
    }

    /// The id of a process that runs.
    pub fn pid_of(&self, name: &str) -> Option<i32> {
        self.fleet.record(name).filter(Record::is_alive).map(|record| record.pid)
    }

    /// Ends a process by SIGKILL and waits for its end.
    pub fn kill(&self, name: &str) -> Result<()> {
        self.fleet.kill(name)
    }

    /// Stops a process and all that it started where they stand (SIGSTOP).
    pub fn pause(&self, name: &str) -> Result<()> {
        self.fleet.signal_all(name, Signal::STOP)
    }

    /// Lets a paused process go on (SIGCONT).
    pub fn resume(&self, name: &str) -> Result<()> {
        self.fleet.signal_all(name, Signal::CONT)
    }

    /// Tells the broker how much of the machine's memory it may take before it
    /// refuses to be given more: 0.4 by default, next to nothing raises its alarm.
    pub async fn limit_broker(&self, memory: f64) -> Result<()> {
        rabbitmq::limit_memory(self.layout(), &self.options.ports, memory).await
    }

    /// Starts a process again after its end. Does not wait until it is ready.
    pub fn restart(&self, name: &str) -> Result<()> {
        self.fleet.respawn(name, &[])
    }

    /// The same with more settings, for this time only.
    pub fn restart_with(&self, name: &str, settings: &[(&str, &str)]) -> Result<()> {
        self.fleet.respawn(name, settings)
    }

    /// Where it keeps its files.
    pub fn layout(&self) -> &Layout {
        &self.fleet.layout
    }

    /// Which ports it uses.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Stops everything. Blocks until all processes have ended; the data stays.
    pub fn stop(self) {}

    /// Lets everything run on; [`down`] stops it. From now on a program looks after the
    /// certificates that does [`crate::keep_certificates`] when it is called like this.
    pub fn detach(mut self, keeper: &Path, arguments: &[&str]) -> Result<()> {
        let keeper = Spec::new("keeper", Phase::Edge, keeper).args(arguments.iter().copied());
        self.fleet.spawn(keeper)?;
        Record::supervisor()?.forget(self.layout());
        self.fleet.release();
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.dismiss();
        }
        Ok(())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.fleet.stop();
        if let Some(watchdog) = self.watchdog.take() {
            let _ = std::fs::remove_file(self.layout().summary());
            let _ = Record::supervisor().map(|record| record.forget(self.layout()));
            watchdog.dismiss();
        }
    }
}

/// Stops the stack or the stores that run in `state`, whoever started them;
/// answers the names of what was stopped.
pub fn down(state: &Path) -> Result<Vec<String>> {
    let layout = Layout::new(state)?;
    let me = i32::try_from(std::process::id())?;
    let alive: Vec<Record> =
        running(&layout).into_iter().filter(|record| record.pid != me).collect();
    // A supervisor that is asked to stop stops its processes itself: give it time.
    process::stop(&alive, Duration::from_secs(40));
    recorded(&layout).iter().for_each(|record| record.forget(&layout));
    let _ = std::fs::remove_file(layout.summary());
    Ok(alive.into_iter().map(|record| record.name).filter(|name| name != "supervisor").collect())
}

/// Stops what runs in `state` and removes all that it wrote.
pub fn clean(state: &Path) -> Result<()> {
    down(state)?;
    Layout::new(state)?.remove()
}
