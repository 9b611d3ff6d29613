//! The browser, driven by a script: real Chromium by Playwright, judged by axe.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use e2e::platform::Platform;
use stack::{Layout, Quiet};
use tokio::process::Command;

use crate::shop::root;

/// Pinned. Playwright's core brings no browser of its own: Debian's is used.
const PACKAGES: [&str; 2] = ["playwright-core@1.65.1", "axe-core@4.14.1"];
/// A script that hangs is a failure.
const LIMIT: Duration = Duration::from_secs(240);

/// What scripts need, installed.
pub struct Browser {
    packages: PathBuf,
    program: PathBuf,
}

impl Browser {
    /// Installs what is missing: Chromium, fonts, packages.
    pub fn install(layout: &Layout) -> Self {
        let packages = stack::install_npm(&PACKAGES, layout, &mut Quiet).expect("npm");
        let program = stack::chromium(layout, &mut Quiet).expect("Chromium");
        Self { packages, program }
    }

    /// Runs a script of `specs/`; fails with what it wrote.
    pub async fn run(&self, script: &str, platform: &Platform, more: &[(&str, String)]) {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs");
        let mut node = Command::new("node");
        node.current_dir(root())
            .arg(dir.join(script))
            .env("PACKAGES", self.packages.join("node_modules"))
            .env("CHROMIUM", &self.program)
            .env("CONSOLE", platform.stack.console_url())
            .env("EDGE", platform.stack.edge_url())
            .envs(more.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let ended = tokio::time::timeout(LIMIT, node.output()).await;
        let ended = ended.unwrap_or_else(|_| panic!("{script} did not end within {LIMIT:?}"));
        let ended = ended.expect("node runs");
        let said = String::from_utf8_lossy(&ended.stdout);
        let complained = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{script}:\n{said}\n{complained}");
        print!("{said}");
    }
}
