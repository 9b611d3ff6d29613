//! `test`: every test, against real stores and the real platform.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use stack::{Layout, Ports, Stores, Terminal};

use crate::cargo::{bin_dir, cargo, run_async};
use crate::up::interrupted;

#[derive(Args)]
pub struct Arguments {
    /// Only this package's tests.
    #[arg(long, short)]
    package: Option<String>,
    /// The platform's programs from this directory, in place of those built here.
    #[arg(long)]
    programs: Option<PathBuf>,
    /// Passed on to the test programs, for example a test's name.
    #[arg(last = true)]
    rest: Vec<String>,
}

impl Arguments {
    pub async fn run(&self, root: &Path) -> Result<()> {
        let outcome = tokio::select! {
            outcome = self.tests(root) => outcome,
            () = interrupted() => Err(anyhow::anyhow!("interrupted")),
        };
        outcome
    }

    async fn tests(&self, root: &Path) -> Result<()> {
        // One build for all of it: what the tests need and the programs they start.
        let mut build = cargo(root);
        build.args(["build", "--workspace", "--bins", "--tests"]);
        run_async(build).await?;
        println!("Starting stores for the tests");
        let state = root.join(".stoa/test");
        let envoy = stack::envoy(&Layout::new(&state)?, &mut Terminal)?;
        let stores = Stores::start(&state, Ports::free()?, &mut Terminal).await?;
        let mut test = cargo(root);
        match &self.package {
            Some(package) => test.args(["test", "--package", package]),
            None => test.args(["test", "--workspace"]),
        };
        test.args(["--no-fail-fast", "--"]).args(&self.rest);
        let programs = self.programs.clone().map_or_else(bin_dir, Ok)?;
        test.envs(stores.env()?).env("STOA_ENVOY", envoy).env("STOA_BIN_DIR", programs);
        run_async(test).await
    }
}
