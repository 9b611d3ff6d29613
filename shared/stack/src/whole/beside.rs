//! Processes of another release beside those that run: how one release follows another
//! on one machine.

use std::path::Path;
use std::process::ExitStatus;

use anyhow::{Context as _, Result};

use super::Stack;
use crate::edge;
use crate::install;
use crate::options::Options;
use crate::pki::Pki;
use crate::progress::Quiet;

impl Stack {
    /// Starts `name`: the program of `service` in another directory, told the same and
    /// `settings` besides. With `REUSE_PORT` it listens where the other one does; an
    /// `ADMIN_ADDR` of its own it always needs. Does not wait until it is ready.
    pub fn start_beside(
        &self,
        service: &str,
        name: &str,
        bin_dir: &Path,
        settings: &[(&str, &str)],
    ) -> Result<()> {
        self.fleet.spawn_like(service, name, bin_dir.join(service), settings)
    }

    /// Starts an edge by other options on the same ports, and waits until it can check
    /// tokens. Whoever is not called `edge` needs an `edge_admin` port of its own.
    pub async fn start_edge(&self, name: &str, options: Options) -> Result<()> {
        let (fleet, pki) = (self.fleet.clone(), Pki::of(self.layout()));
        let tools = install::python(self.layout(), &mut Quiet)?;
        edge::start(name, fleet, options, pki, tools).await
    }

    /// Asks a process to end, as whoever replaces it does. Does not wait for its end.
    pub fn terminate(&self, name: &str) -> Result<()> {
        let record = self.fleet.record(name);
        record.with_context(|| format!("nothing called {name} was started"))?.ask_to_stop();
        Ok(())
    }

    /// How a process has ended; nothing while it runs.
    pub fn exit(&self, name: &str) -> Result<Option<ExitStatus>> {
        self.fleet.exit(name)
    }
}
