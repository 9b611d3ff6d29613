//! The processes of one stack: started, watched and stopped together.

use std::fs;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use rustix::process::Signal;
use tokio::task::JoinSet;

use crate::layout::Layout;
use crate::probe::Probe;
use crate::process::{self, Record, Spec};
use crate::progress::Progress;

/// How long a process may take to stop before it is killed.
const PATIENCE: Duration = Duration::from_secs(15);

/// A shared handle on the processes.
#[derive(Clone)]
pub(crate) struct Fleet {
    pub(crate) layout: Layout,
    members: Arc<Mutex<Members>>,
}

#[derive(Default)]
struct Members {
    list: Vec<Member>,
    /// Nothing is started any more.
    closed: bool,
}

struct Member {
    spec: Spec,
    record: Record,
    child: Child,
}

impl Fleet {
    pub(crate) fn new(layout: Layout) -> Self {
        Self { layout, members: Arc::default() }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a process; one of the same name is replaced in the list.
    pub(crate) fn spawn(&self, spec: Spec) -> Result<()> {
        let mut members = self.members();
        if members.closed {
            bail!("the stack is being stopped");
        }
        let (child, record) = spec.spawn(&self.layout)?;
        members.list.retain(|member| member.spec.name != spec.name);
        members.list.push(Member { spec, record, child });
        Ok(())
    }

    /// Waits until `probe` holds.
    ///
    /// Fails with the end of the log when the process ends or the time is up.
    pub(crate) async fn ready(&self, name: &str, probe: &Probe, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        while !probe.holds().await {
            if !self.is_alive(name) {
                bail!("{name} ended instead of starting.\n{}", self.log_tail(name));
            }
            if Instant::now() > deadline {
                let seconds = limit.as_secs();
                bail!("{name} is not ready after {seconds} s.\n{}", self.log_tail(name));
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        Ok(())
    }

    pub(crate) fn record(&self, name: &str) -> Option<Record> {
        let members = self.members();
        members.list.iter().find(|member| member.spec.name == name).map(|m| m.record.clone())
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.members().list.iter().map(|member| member.spec.name.clone()).collect()
    }

    /// Those that do not run any more though nobody stopped them.
    pub(crate) fn ended(&self) -> Vec<String> {
        let members = self.members();
        let ended = members.list.iter().filter(|member| !member.record.is_alive());
        ended.map(|member| member.spec.name.clone()).collect()
    }

    pub(crate) fn is_alive(&self, name: &str) -> bool {
        self.record(name).is_some_and(|record| record.is_alive())
    }

    /// Ends a process at once and takes note of its end.
    pub(crate) fn kill(&self, name: &str) -> Result<()> {
        let mut members = self.members();
        let member = members
            .list
            .iter_mut()
            .find(|member| member.spec.name == name)
            .with_context(|| format!("nothing called {name} was started"))?;
        member.record.kill();
        member.child.wait()?;
        Ok(())
    }

    /// Sends a signal to a process and to all that it started.
    pub(crate) fn signal_all(&self, name: &str, signal: Signal) -> Result<()> {
        let record = self.record(name).with_context(|| format!("{name} was not started"))?;
        record.signal_all(signal);
        Ok(())
    }

    /// Starts another program under another name, told the same as one that was started
    /// and a little more.
    pub(crate) fn spawn_like(
        &self,
        model: &str,
        name: &str,
        program: PathBuf,
        settings: &[(&str, &str)],
    ) -> Result<()> {
        let spec = {
            let members = self.members();
            let found = members.list.iter().find(|member| member.spec.name == model);
            found.with_context(|| format!("nothing called {model} was started"))?.spec.clone()
        };
        let spec = spec.of(name, program);
        self.spawn(settings.iter().fold(spec, |spec, (name, value)| spec.env(name, *value)))
    }

    /// How a process has ended; nothing while it runs.
    pub(crate) fn exit(&self, name: &str) -> Result<Option<ExitStatus>> {
        let mut members = self.members();
        let member = members.list.iter_mut().find(|member| member.spec.name == name);
        let member = member.with_context(|| format!("nothing called {name} was started"))?;
        Ok(member.child.try_wait()?)
    }

    /// Starts a process that has ended as it was first started, with more settings
    /// for this time only.
    pub(crate) fn respawn(&self, name: &str, settings: &[(&str, &str)]) -> Result<()> {
        let spec = {
            let members = self.members();
            let found = members.list.iter().find(|member| member.spec.name == name);
            let member = found.with_context(|| format!("nothing called {name} was started"))?;
            if member.record.is_alive() {
                bail!("{name} still runs");
            }
            member.spec.clone()
        };
        let original = spec.clone();
        let drilled = settings.iter().fold(spec, |spec, (name, value)| spec.env(name, *value));
        self.spawn(drilled)?;
        let mut members = self.members();
        if let Some(member) = members.list.iter_mut().find(|member| member.spec.name == name) {
            member.spec = original;
        }
        Ok(())
    }

    /// Stops everything in the right order. Blocks until all have ended.
    pub(crate) fn stop(&self) {
        let mut members = self.members();
        members.closed = true;
        let records: Vec<Record> = members.list.iter().map(|m| m.record.clone()).collect();
        process::stop(&records, PATIENCE);
        for member in &mut members.list {
            // Collects the exit status, so that no zombie stays behind.
            let _ = member.child.try_wait();
            member.record.forget(&self.layout);
        }
        members.list.clear();
    }

    /// Lets the processes run on without us.
    pub(crate) fn release(&self) {
        let mut members = self.members();
        members.closed = true;
        members.list.clear();
    }

    fn log_tail(&self, name: &str) -> String {
        let path = self.layout.log(name);
        let log = fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(15)..].join("\n    ");
        format!("The last lines of {}:\n    {last}", path.display())
    }
}

/// A step of a start that can run beside others.
pub(crate) type Step = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// Runs steps at the same time, telling of each as it ends; fails with the
/// first that fails.
pub(crate) async fn together(
    progress: &mut dyn Progress,
    steps: Vec<(String, Step)>,
) -> Result<()> {
    let began = Instant::now();
    let mut set = JoinSet::new();
    for (name, step) in steps {
        set.spawn(async move { (name, step.await) });
    }
    while let Some(joined) = set.join_next().await {
        let (name, result) = joined.map_err(|error| anyhow!("a step panicked: {error}"))?;
        result.with_context(|| format!("{name} did not start"))?;
        progress.done(&name, began.elapsed());
    }
    Ok(())
}
