//! `up`, `down` and `clean`: the platform on this machine.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use stack::{Layout, Options, Ports, Stack, Terminal};
use tokio::signal::unix::{SignalKind, signal};

use crate::cargo::{bin_dir, cargo, run_async};
use crate::table::summary;

#[derive(Args)]
pub struct Up {
    /// Return once everything is ready; it runs on in the background.
    #[arg(long)]
    detach: bool,
    /// The edge's port.
    #[arg(long, default_value_t = 8080)]
    edge_port: u16,
    /// The edge's port for HTTPS.
    #[arg(long, default_value_t = 8443)]
    edge_tls_port: u16,
    /// Optimised programs; the build takes longer.
    #[arg(long)]
    release: bool,
    /// Leave the catalogue as it is, even if it is empty.
    #[arg(long)]
    no_seed: bool,
}

impl Up {
    pub async fn run(&self, root: &Path) -> Result<()> {
        let layout = Layout::new(&state(root))?;
        if let Some(summary) = already_running(&layout) {
            println!("It is already running; `make down` stops it.\n\n{summary}");
            return Ok(());
        }
        let began = Instant::now();
        // Before the build, which may put another one in its place: the path stays.
        let me = std::env::current_exe()?;
        let starting = async {
            let mut build = cargo(root);
            build.args(["build", "--workspace", "--bins"]);
            build.args(self.release.then_some("--release"));
            run_async(build).await?;
            println!("Starting Stoa");
            Stack::start(self.options(root)?, &mut Terminal).await
        };
        let stack = tokio::select! {
            stack = starting => stack?,
            () = interrupted() => anyhow::bail!("interrupted; what was started has been stopped"),
        };
        let summary = summary(&stack)?;
        fs::write(layout.summary(), &summary)?;
        println!("\nReady after {:.1} s.\n\n{summary}", began.elapsed().as_secs_f64());
        if self.detach {
            println!("It runs in the background; `make down` stops it.");
            return stack.detach(&me, &["keep-certificates"]);
        }
        println!("Ctrl-C stops everything; the data stays.");
        supervise(&stack).await;
        println!("Stopping …");
        stack.stop();
        Ok(())
    }

    fn options(&self, root: &Path) -> Result<Options> {
        let mut ports = Ports::fixed();
        (ports.edge, ports.edge_tls) = (self.edge_port, self.edge_tls_port);
        Ok(Options {
            root: root.to_owned(),
            state: state(root),
            ports,
            bin_dir: if self.release { bin_dir()?.join("../release") } else { bin_dir()? },
            seed: !self.no_seed,
            fresh: false,
            settings: Vec::new(),
            detours: Vec::new(),
            replicas: Vec::new(),
            collector: None,
            observe: true,
            plain_stores: false,
            console: true,
        })
    }
}

/// `make down`.
pub fn down(root: &Path) -> Result<()> {
    let stopped = stack::down(&state(root))?;
    match stopped.as_slice() {
        [] => println!("nothing was running"),
        names => println!("stopped: {}", names.join(", ")),
    }
    Ok(())
}

/// `make clean`: also what tests left behind.
pub fn clean(root: &Path) -> Result<()> {
    let state = state(root);
    if !state.exists() {
        println!("nothing to remove");
        return Ok(());
    }
    let nested = fs::read_dir(&state)?.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    for dir in nested.filter(|path| path.join("run").is_dir()) {
        stack::clean(&dir)?;
    }
    stack::clean(&state)?;
    fs::remove_dir_all(&state)?;
    println!("removed {}", state.display());
    Ok(())
}

/// What a platform in the background needs of us.
pub fn keep_certificates(root: &Path) -> Result<()> {
    stack::keep_certificates(&state(root));
    Ok(())
}

/// Waits for Ctrl-C, SIGTERM or the end of the terminal.
pub async fn interrupted() {
    let next = |kind| async move {
        match signal(kind) {
            Ok(mut signals) => drop(signals.recv().await),
            // Without a handler the default holds: the process ends.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = next(SignalKind::interrupt()) => {}
        () = next(SignalKind::terminate()) => {}
        () = next(SignalKind::hangup()) => {}
    }
}

/// Tells of processes that end by themselves, until it is asked to stop.
async fn supervise(stack: &Stack) {
    let mut told = HashSet::new();
    let mut stop = Box::pin(interrupted());
    loop {
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
        }
        for name in stack.ended() {
            if told.insert(name.clone()) {
                eprintln!("{name} has ended; its log: {}", stack.log_of(&name).display());
            }
        }
    }
}

fn state(root: &Path) -> PathBuf {
    root.join(".stoa")
}

/// What the running stack showed; none unless all of it runs.
fn already_running(layout: &Layout) -> Option<String> {
    let summary = fs::read_to_string(layout.summary()).ok()?;
    stack::all_running(layout).then_some(summary)
}
