//! `test`: every test, against real stores and the real platform.

use std::path::Path;

use anyhow::Result;
use clap::Args;
use stack::{Layout, Ports, Stores, Terminal};

use crate::cargo::{bin_dir, cargo, run_async};
use crate::up::interrupted;

#[derive(Args)]
pub struct Arguments {
    /// Only this package's tests; `e2e` and `chaos` start the whole platform.
    #[arg(long, short)]
    package: Option<String>,
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
        match self.package.as_deref() {
            Some(package @ ("e2e" | "chaos")) => self.whole_platform(root, package).await,
            Some(package) => self.with_stores(root, &["--package", package]).await,
            None => {
                let parts = ["--workspace", "--exclude", "e2e", "--exclude", "chaos"];
                self.with_stores(root, &parts).await?;
                self.whole_platform(root, "e2e").await?;
                self.whole_platform(root, "chaos").await
            }
        }
    }

    async fn with_stores(&self, root: &Path, which: &[&str]) -> Result<()> {
        let mut build = cargo(root);
        build.arg("test").args(which).arg("--no-run");
        run_async(build).await?;
        println!("Starting stores for the tests");
        let state = root.join(".stoa/test");
        let envoy = stack::envoy(&Layout::new(&state)?, &mut Terminal)?;
        let stores = Stores::start(&state, Ports::free()?, &mut Terminal).await?;
        let mut test = cargo(root);
        test.arg("test").args(which).arg("--no-fail-fast").envs(stores.env()?);
        test.env("STOA_ENVOY", envoy).arg("--").args(&self.rest);
        run_async(test).await
    }

    /// Tests that start the platform themselves.
    async fn whole_platform(&self, root: &Path, package: &str) -> Result<()> {
        let mut build = cargo(root);
        build.args(["build", "--workspace", "--bins"]);
        run_async(build).await?;
        let mut test = cargo(root);
        test.args(["test", "--package", package]).env("STOA_BIN_DIR", bin_dir()?);
        test.arg("--").args(&self.rest);
        run_async(test).await
    }
}
