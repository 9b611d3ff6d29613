//! A child process with a log file, and a record of it that outlives us.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::layout::Layout;

/// When a process is stopped: the lowest phase first, then the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Supervisor,
    Edge,
    Service,
    Store,
    Base,
}

const PHASES: [Phase; 5] =
    [Phase::Supervisor, Phase::Edge, Phase::Service, Phase::Store, Phase::Base];

/// The signals that may ask a process to stop, as `kill -s` knows them.
const SIGNALS: [(Signal, &str); 3] =
    [(Signal::TERM, "TERM"), (Signal::INT, "INT"), (Signal::KILL, "KILL")];

/// How to start a process, again and again.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) name: String,
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(String, OsString)>,
    phase: Phase,
    stop: Signal,
}

impl Spec {
    pub(crate) fn new(name: &str, phase: Phase, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            phase,
            stop: Signal::TERM,
        }
    }

    pub(crate) fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Another program under another name, told the same.
    pub(crate) fn of(mut self, name: &str, program: PathBuf) -> Self {
        name.clone_into(&mut self.name);
        self.program = program;
        self
    }

    /// Asks the process to end by another signal than SIGTERM; SIGKILL ends
    /// its whole group.
    pub(crate) fn stop_by(mut self, signal: Signal) -> Self {
        self.stop = signal;
        self
    }

    /// Starts the process in a group of its own, so that a Ctrl-C in the
    /// terminal reaches only us. It sees nothing of our environment but
    /// `PATH` and `HOME`.
    pub(crate) fn spawn(&self, layout: &Layout) -> Result<(Child, Record)> {
        let log_path = layout.log(&self.name);
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log_path)
            .with_context(|| format!("cannot write {}", log_path.display()))?;
        let mut command = Command::new(&self.program);
        command.env_clear();
        for name in ["PATH", "HOME"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let child = command
            .env("LANG", "C.UTF-8")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .args(&self.args)
            .current_dir(layout.state())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let record = Record {
            name: self.name.clone(),
            pid: i32::try_from(child.id())?,
            started: start_time(i32::try_from(child.id())?).unwrap_or_default(),
            stop: self.stop,
            phase: self.phase,
        };
        record.save(layout)?;
        Ok((child, record))
    }
}

/// A process as written down in `run/<name>.pid`.
#[derive(Debug, Clone)]
pub struct Record {
    /// The process's name, unique in its stack.
    pub name: String,
    /// Its process id.
    pub pid: i32,
    /// In clock ticks since the machine started; tells it from a later
    /// process that got the same id.
    started: u64,
    stop: Signal,
    phase: Phase,
}

impl Record {
    /// The calling process, so that `down` can ask it to stop everything.
    pub(crate) fn supervisor() -> Result<Self> {
        let pid = i32::try_from(std::process::id())?;
        Ok(Self {
            name: "supervisor".to_owned(),
            pid,
            started: start_time(pid).unwrap_or_default(),
            stop: Signal::TERM,
            phase: Phase::Supervisor,
        })
    }

    pub(crate) fn save(&self, layout: &Layout) -> Result<()> {
        let signal = SIGNALS.iter().find(|(signal, _)| *signal == self.stop);
        let signal = signal.map_or("TERM", |(_, name)| name);
        let phase = PHASES.iter().position(|phase| *phase == self.phase).unwrap_or_default();
        let line = format!("{} {} {signal} {phase}\n", self.pid, self.started);
        fs::write(self.file(layout), line).context("cannot write a pid file")
    }

    pub(crate) fn forget(&self, layout: &Layout) {
        // A file that is already gone is as good.
        let _ = fs::remove_file(self.file(layout));
    }

    fn file(&self, layout: &Layout) -> PathBuf {
        layout.path("run").join(format!("{}.pid", self.name))
    }

    fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let [pid, started, signal, phase] =
            text.split_whitespace().collect::<Vec<_>>().try_into().ok()?;
        Some(Self {
            name: path.file_stem()?.to_str()?.to_owned(),
            pid: pid.parse().ok()?,
            started: started.parse().ok()?,
            stop: SIGNALS.iter().find(|(_, name)| *name == signal)?.0,
            phase: *PHASES.get(phase.parse::<usize>().ok()?)?,
        })
    }

    /// Whether this very process still runs.
    pub fn is_alive(&self) -> bool {
        start_time(self.pid) == Some(self.started)
    }

    /// Ends the process and its group at once, as a crash would.
    pub(crate) fn kill(&self) {
        let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.is_alive()) else { return };
        // It may have ended since; then there is nothing to do.
        let _ = match self.phase {
            Phase::Supervisor => kill_process(pid, Signal::KILL),
            _ => kill_process_group(pid, Signal::KILL),
        };
    }

    /// Sends a signal to the process and to all that it started: PostgreSQL's
    /// workers, for one, are in groups of their own.
    pub(crate) fn signal_all(&self, signal: Signal) {
        if !self.is_alive() {
            return;
        }
        for pid in family(self.pid) {
            // It may have ended since; then there is nothing to do.
            let _ = Pid::from_raw(pid).map(|pid| kill_process(pid, signal));
        }
    }

    pub(crate) fn ask_to_stop(&self) {
        if self.stop == Signal::KILL {
            return self.kill();
        }
        if let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.is_alive()) {
            let _ = kill_process(pid, self.stop);
        }
    }
}

/// Every process that a stack in `layout` recorded, dead ones too.
pub(crate) fn recorded(layout: &Layout) -> Vec<Record> {
    let Ok(entries) = fs::read_dir(layout.path("run")) else { return Vec::new() };
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "pid"))
        .filter_map(|path| Record::read(&path))
        .collect()
}

/// The processes of the stack in `layout` that run now.
pub fn running(layout: &Layout) -> Vec<Record> {
    recorded(layout).into_iter().filter(Record::is_alive).collect()
}

/// Whether all that was recorded in `layout` runs.
pub fn all_running(layout: &Layout) -> bool {
    let records = recorded(layout);
    !records.is_empty() && records.iter().all(Record::is_alive)
}

/// Stops processes phase by phase; those that do not end within `patience`
/// are killed.
pub(crate) fn stop(records: &[Record], patience: Duration) {
    for phase in PHASES {
        let phase: Vec<&Record> = records.iter().filter(|record| record.phase == phase).collect();
        phase.iter().for_each(|record| record.ask_to_stop());
        if !ended(&phase, patience) {
            phase.iter().for_each(|record| record.kill());
            ended(&phase, Duration::from_secs(5));
        }
    }
}

fn ended(records: &[&Record], patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    while records.iter().any(|record| record.is_alive()) {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

/// A process, its children, their children and so on.
fn family(pid: i32) -> Vec<i32> {
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(parent) = all.get(next) {
        let children = format!("/proc/{parent}/task/{parent}/children");
        let children = fs::read_to_string(children).unwrap_or_default();
        all.extend(children.split_whitespace().filter_map(|child| child.parse::<i32>().ok()));
        next += 1;
    }
    all
}

/// When a process started; none when it is gone or a zombie (proc(5)).
fn start_time(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in parentheses and may hold anything.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace();
    let state = fields.next()?;
    if state == "Z" || state == "X" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests;
