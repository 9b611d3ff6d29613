//! Prometheus' and Alertmanager's own checks: that rules and routes are well formed, that
//! alerts fire when they should and reach whom they should.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use stack::{Layout, Terminal};

use crate::cargo::run;

/// Somebody who must be told of alerts with these labels.
#[derive(Deserialize)]
struct Way {
    to: String,
    labels: BTreeMap<String, String>,
}

pub fn check(root: &Path) -> Result<()> {
    let promtool = program(root, "prometheus", "promtool")?;
    let dir = root.join("observability/prometheus");
    let run_on = |arguments: [&str; 2], files: &str| {
        let files = yaml(&dir.join(files))?;
        run(Command::new(&promtool).args(arguments).args(files))
    };
    run_on(["check", "rules"], "rules")?;
    run_on(["check", "rules"], "alerts")?;
    run_on(["test", "rules"], "tests")?;
    routes(root)
}

fn routes(root: &Path) -> Result<()> {
    let amtool = program(root, "prometheus-alertmanager", "amtool")?;
    let dir = root.join("observability/alertmanager");
    let read = |name: &str| {
        let file = dir.join(name);
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
    };
    let work = tempfile::tempdir()?;
    let config = work.path().join("alertmanager.yaml");
    let anywhere = "http://127.0.0.1:1/";
    let filled = read("alertmanager.yaml")?
        .replace("${PAGE_URL}", anywhere)
        .replace("${TICKET_URL}", anywhere);
    fs::write(&config, filled)?;
    run(Command::new(&amtool).arg("check-config").arg(&config))?;
    let ways: Vec<Way> = serde_yaml_ng::from_str(&read("routes.yaml")?)?;
    for Way { to, labels } in &ways {
        let labels = labels.iter().map(|(name, value)| format!("{name}={value}"));
        let output = Command::new(&amtool)
            .args(["config", "routes", "test", &format!("--verify.receivers={to}")])
            .arg(format!("--config.file={}", config.display()))
            .args(labels.clone())
            .output()?;
        let complaint = String::from_utf8_lossy(&output.stdout);
        let labels: Vec<String> = labels.collect();
        ensure!(output.status.success(), "{} must reach {to}: {complaint}", labels.join(" "));
    }
    println!("{} alerts reach whom they should", ways.len());
    Ok(())
}

fn yaml(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let paths = entries.map(|e| Ok(e?.path())).collect::<Result<Vec<_>>>()?;
    let mut files: Vec<_> =
        paths.into_iter().filter(|p| p.extension().is_some_and(|e| e == "yaml")).collect();
    files.sort();
    Ok(files)
}

/// The machine's own, or taken out of Debian's package at the first use.
fn program(root: &Path, package: &str, name: &str) -> Result<PathBuf> {
    let layout = Layout::new(&root.join(".stoa/lint"))?;
    stack::debian_program(package, name, &layout, &mut Terminal)
}
