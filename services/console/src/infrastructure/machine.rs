//! The processes of this machine: asked at their admin ports, and looked up in `/proc`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use futures::future::join_all;
use serde::Deserialize;
use tokio::net::TcpStream;

use crate::core::ports::Machine;
use crate::domain::process::{Process, State};
use crate::domain::reading::Readings;

/// Who does not answer within this time is not well.
const PATIENCE: Duration = Duration::from_millis(800);
/// What the kernel counts time in, for processes: `getconf CLK_TCK` is 100 on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;
const PAGE_BYTES: u64 = 4096;

/// A process as the file with processes has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Known {
    pub name: String,
    pub stands_for: Option<String>,
    /// For people.
    pub address: Option<String>,
    /// Where it says whether it is ready: an HTTP address.
    pub ready: Option<String>,
    /// Where its metrics are: an HTTP address.
    pub metrics: Option<String>,
    /// `host:port` of one who speaks no HTTP.
    pub connect: Option<String>,
    pub log: Option<PathBuf>,
    /// A file that begins with its process id.
    pub pid_file: Option<PathBuf>,
}

/// This machine.
pub struct Local {
    file: PathBuf,
    http: reqwest::Client,
    /// When each was started, by the kernel's clock, and how often that changed.
    starts: Mutex<HashMap<String, (u64, u64)>>,
}

impl Local {
    /// Of the processes in this file.
    pub fn new(file: &Path) -> Result<Self> {
        read(file)?;
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        Ok(Self { file: file.to_owned(), http, starts: Mutex::default() })
    }

    async fn look(&self, known: Known, readings: &Readings) -> Process {
        let (mut state, mut detail) = self.ask(&known).await;
        let found = known.pid_file.as_deref().and_then(stat);
        if known.pid_file.is_some() && found.is_none() {
            (state, detail) = (State::Down, "its process is gone".to_owned());
        }
        let seen = found.as_ref().map_or(0, |found| self.restarts(&known.name, found.started));
        let measured = readings.first("restarts", &[("job", &known.name)]).unwrap_or_default();
        Process {
            state,
            detail,
            address: known.address,
            metrics: known.metrics,
            log: known.log.map(|path| path.display().to_string()),
            pid: found.as_ref().map(|found| found.pid),
            memory: found.as_ref().map(|found| found.memory),
            uptime: found.as_ref().map(|found| found.uptime),
            restarts: seen.max(measured as u64),
            version: None,
            stands_for: known.stands_for,
            name: known.name,
        }
    }

    async fn ask(&self, known: &Known) -> (State, String) {
        if let Some(url) = &known.ready {
            return match self.http.get(url).send().await {
                Ok(answer) => {
                    let well = answer.status().is_success();
                    let text = answer.text().await.unwrap_or_default();
                    said(well, text.lines().next().unwrap_or_default())
                }
                Err(error) if error.is_timeout() => {
                    (State::Degraded, "does not answer in time".to_owned())
                }
                Err(_) => (State::Down, "nobody answers".to_owned()),
            };
        }
        let Some(address) = &known.connect else { return (State::Unknown, String::new()) };
        match tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(_)) => (State::Up, "takes connections".to_owned()),
            Ok(Err(_)) => (State::Down, "takes no connections".to_owned()),
            Err(_) => (State::Degraded, "does not answer in time".to_owned()),
        }
    }

    fn restarts(&self, name: &str, started: u64) -> u64 {
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, count) = starts.entry(name.to_owned()).or_insert((started, 0));
        if *last != started {
            (*last, *count) = (started, *count + 1);
        }
        *count
    }
}

/// What a process says at its admin port, in one line.
fn said(well: bool, line: &str) -> (State, String) {
    match line.split_once("ok, ") {
        _ if !well => {
            (State::Degraded, if line.is_empty() { "is not ready" } else { line }.to_owned())
        }
        Some((_, without)) => (State::Degraded, format!("works {without}")),
        None => (State::Up, "ready".to_owned()),
    }
}

#[async_trait]
impl Machine for Local {
    async fn processes(&self, readings: &Readings) -> Vec<Process> {
        // It is written before the processes start, and again when some are added.
        let known = read(&self.file).unwrap_or_default();
        join_all(known.into_iter().map(|known| self.look(known, readings))).await
    }
}

fn read(file: &Path) -> Result<Vec<Known>> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read {} (PROCESSES_FILE)", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} (PROCESSES_FILE)", file.display()))
}

struct Found {
    pid: i32,
    started: u64,
    uptime: f64,
    memory: u64,
}

/// What the kernel says of a process (proc(5)); none when it is gone or a zombie.
fn stat(pid_file: &Path) -> Option<Found> {
    let text = std::fs::read_to_string(pid_file).ok()?;
    let mut words = text.split_whitespace();
    let pid: i32 = words.next()?.parse().ok()?;
    let recorded: Option<u64> = words.next().and_then(|word| word.parse().ok());
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in parentheses and may hold anything.
    let fields: Vec<&str> = stat.get(stat.rfind(')')? + 1..)?.split_whitespace().collect();
    let started: u64 = fields.get(19)?.parse().ok()?;
    // Another process may have got its id.
    if ["Z", "X"].contains(fields.first()?) || recorded.is_some_and(|known| known != started) {
        return None;
    }
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let uptime: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    let uptime = uptime - started as f64 / TICKS_PER_SECOND;
    Some(Found { pid, started, uptime, memory: memory(pid) })
}

/// Of a process and all that it started: RabbitMQ is begun by a shell.
fn memory(pid: i32) -> u64 {
    let (mut family, mut next, mut pages) = (vec![pid], 0, 0);
    while let Some(pid) = family.get(next).copied() {
        next += 1;
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        family.extend(children.split_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
        // Resident pages less those that are shared (proc(5)): or else they count twice.
        let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
        let mut fields = statm.split_whitespace().skip(1).map(|field| field.parse::<u64>());
        if let (Some(Ok(resident)), Some(Ok(shared))) = (fields.next(), fields.next()) {
            pages += resident.saturating_sub(if next == 1 { 0 } else { shared });
        }
    }
    pages * PAGE_BYTES
}

/// Where no file says what runs, Prometheus knows who is up.
pub struct Remote;

#[async_trait]
impl Machine for Remote {
    async fn processes(&self, readings: &Readings) -> Vec<Process> {
        let of = |name: &str, question| readings.first(question, &[("job", name)]);
        let processes = readings.of("up").iter().map(|sample| {
            let name = sample.label("job").to_owned();
            let up = sample.value > 0.0;
            Process {
                stands_for: None,
                state: if up { State::Up } else { State::Down },
                detail: if up { "is scraped" } else { "cannot be scraped" }.to_owned(),
                address: None,
                metrics: None,
                log: None,
                pid: None,
                memory: of(&name, "memory").map(|bytes| bytes as u64),
                uptime: of(&name, "uptime"),
                restarts: of(&name, "restarts").unwrap_or_default() as u64,
                version: None,
                name,
            }
        });
        processes.collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_process_says_how_it_is() {
        assert_eq!(said(true, "ok").0, State::Up);
        let without = said(true, "ok, without: redis");
        assert_eq!(without, (State::Degraded, "works without: redis".to_owned()));
        assert_eq!(said(false, "waiting for: postgres").0, State::Degraded);
    }

    #[test]
    fn the_kernel_tells_of_a_process_and_of_no_other_with_its_id() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("own.pid");
        std::fs::write(&file, format!("{}\n", std::process::id())).unwrap();
        let found = stat(&file).unwrap();
        assert!(found.memory > 1_000_000 && found.uptime >= 0.0 && found.uptime < 86_400.0);
        std::fs::write(&file, format!("{} {}\n", found.pid, found.started)).unwrap();
        assert!(stat(&file).is_some());
        std::fs::write(&file, format!("{} {}\n", found.pid, found.started + 1)).unwrap();
        assert!(stat(&file).is_none());
    }

    #[tokio::test]
    async fn a_process_that_takes_no_connections_is_down_and_a_new_one_is_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("processes.json");
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let text = format!(
            r#"[{{"name":"gone","connect":"{free}"}},{{"name":"there","connect":"{}"}}]"#,
            listener.local_addr().unwrap()
        );
        std::fs::write(&file, text).unwrap();
        let local = Local::new(&file).unwrap();
        let processes = local.processes(&Readings::default()).await;
        let states: Vec<_> = processes.iter().map(|process| process.state).collect();
        assert_eq!(states, [State::Down, State::Up]);
        assert_eq!([1, 1, 2, 2].map(|start| local.restarts("there", start)), [0, 0, 1, 1]);
    }

    #[test]
    fn a_file_that_is_missing_is_named() {
        let error = Local::new(Path::new("/nowhere.json")).err().unwrap();
        assert!(format!("{error:#}").contains("/nowhere.json (PROCESSES_FILE)"), "{error:#}");
    }
}
