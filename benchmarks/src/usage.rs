//! What the processes of a platform use of the machine, from /proc.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use procfs::process::{Process, Stat};
use stack::Stack;

/// What a process, and all that it started, has used.
#[derive(Clone, Copy, Default)]
pub struct Used {
    pub cpu: Duration,
    /// In bytes; what several share is divided among them (proc(5), `Pss`).
    pub memory: u64,
}

/// By the process's name.
pub type Usage = BTreeMap<String, Used>;

/// What was used until now.
pub fn now(stack: &Stack) -> Result<Usage> {
    let mut usage = Usage::new();
    for name in stack.names() {
        if let Some(pid) = stack.pid_of(&name) {
            usage.insert(name, family(pid)?);
        }
    }
    Ok(usage)
}

/// Runs `work`, and answers what was used meanwhile: the time of the processors, and the
/// most memory that was seen.
pub async fn during(stack: &Stack, work: impl Future<Output = Result<()>>) -> Result<Usage> {
    let before = now(stack)?;
    let mut most = before.clone();
    tokio::pin!(work);
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    loop {
        tokio::select! {
            done = &mut work => break done?,
            _ = tick.tick() => remember_most(&mut most, &now(stack)?),
        }
    }
    let after = now(stack)?;
    remember_most(&mut most, &after);
    for (name, used) in &mut most {
        let cpu = |usage: &Usage| usage.get(name).map_or(Duration::ZERO, |used| used.cpu);
        used.cpu = cpu(&after).saturating_sub(cpu(&before));
    }
    Ok(most)
}

fn remember_most(most: &mut Usage, now: &Usage) {
    for (name, used) in now {
        let known = most.entry(name.clone()).or_default();
        known.memory = known.memory.max(used.memory);
    }
}

/// A process and those that it started: PostgreSQL's, for one, serve a connection each.
fn family(pid: i32) -> Result<Used> {
    let mut used = Used::default();
    let mut next = vec![pid];
    while let Some(pid) = next.pop() {
        // Whoever has ended since was counted by its parent, which waited for it.
        let Ok(process) = Process::new(pid) else { continue };
        let Ok(stat) = process.stat() else { continue };
        used.cpu += cpu(&stat);
        used.memory += memory(&process).unwrap_or_default();
        for task in process.tasks().into_iter().flatten().flatten() {
            let children = task.children().unwrap_or_default();
            next.extend(children.into_iter().filter_map(|child| i32::try_from(child).ok()));
        }
    }
    Ok(used)
}

/// Its own time and that of its children who have ended.
fn cpu(stat: &Stat) -> Duration {
    let ended = stat.cutime.max(0).cast_unsigned() + stat.cstime.max(0).cast_unsigned();
    let ticks = stat.utime + stat.stime + ended;
    Duration::from_secs_f64(ticks as f64 / procfs::ticks_per_second() as f64)
}

fn memory(process: &Process) -> Option<u64> {
    let rollup = process.smaps_rollup().ok()?;
    rollup.memory_map_rollup.iter().next()?.extension.map.get("Pss").copied()
}
