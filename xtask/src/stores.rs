//! `stores`: the stores alone, for tests that are run by hand.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use stack::{Layout, Ports, Stores, Terminal};

use crate::up::interrupted;

#[derive(Args)]
pub struct Arguments {
    /// Where they keep their files [default: .stoa/stores in the checkout].
    #[arg(long)]
    state: Option<PathBuf>,
    /// Return once they are ready; they run on in the background.
    #[arg(long)]
    detach: bool,
    /// Stop those that run in the state directory.
    #[arg(long)]
    stop: bool,
}

impl Arguments {
    pub async fn run(&self, root: &Path) -> Result<()> {
        let state = self.state.clone().unwrap_or_else(|| root.join(".stoa/stores"));
        if self.stop {
            println!("stopped: {}", stack::down(&state)?.join(", "));
            return Ok(());
        }
        let mut progress = Terminal;
        let stores = tokio::select! {
            stores = Stores::start(&state, Ports::free()?, &mut progress) => stores?,
            () = interrupted() => return Ok(()),
        };
        let lines =
            stores.env()?.into_iter().map(|(name, value)| format!("export {name}={value}\n"));
        let lines: String = lines.collect();
        let file = Layout::new(&state)?.path("env.sh");
        fs::write(&file, &lines)?;
        print!("{lines}");
        println!("# the same lines are in {}", file.display());
        if self.detach {
            return stores.detach();
        }
        println!("# Ctrl-C stops the stores and forgets their data");
        interrupted().await;
        Ok(())
    }
}
