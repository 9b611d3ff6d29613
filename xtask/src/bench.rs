//! `bench`: what the platform's own mechanisms cost, on stores started for it.

use std::path::Path;

use anyhow::Result;
use clap::Args;
use stack::{Ports, Stores, Terminal};

use crate::cargo::{bin_dir, cargo, run_async};
use crate::up::interrupted;

#[derive(Args)]
pub struct Arguments {
    /// Passed on to the benchmarks, for example `--only hot-stock` or `--seconds 10`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

impl Arguments {
    pub async fn run(&self, root: &Path) -> Result<()> {
        tokio::select! {
            outcome = self.measure(root) => outcome,
            () = interrupted() => Err(anyhow::anyhow!("interrupted")),
        }
    }

    async fn measure(&self, root: &Path) -> Result<()> {
        // The whole platform is measured, too.
        let mut build = cargo(root);
        build.args(["build", "--release", "--workspace", "--bins"]);
        run_async(build).await?;
        println!("Starting stores for the benchmarks");
        let state = root.join(".stoa/bench");
        let stores = Stores::start(&state, Ports::free()?, &mut Terminal).await?;
        let programs = bin_dir()?.join("../release");
        let mut bench = std::process::Command::new(programs.join("benchmarks"));
        bench.args(&self.rest).envs(stores.env()?).env("STOA_BIN_DIR", programs);
        run_async(bench).await
    }
}
