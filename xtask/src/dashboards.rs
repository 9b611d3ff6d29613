//! `dashboards`: makes Grafana's JSON of a description that people can read.

mod cluster;
mod panels;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use stack::{Layout, Terminal};

use crate::cargo::run;
use panels::Dashboard;

const DESCRIPTION: &str = "observability/grafana/dashboards.yaml";
const DIR: &str = "observability/grafana/dashboards";
const CLUSTER: &str = "k8s/components/observability/generated";
/// Grafana's own types of what it reads.
const SCHEMA: [&str; 2] = ["@grafana/schema@12.4.11", "typescript@5.9.3"];

/// In a file, names of an enumeration are the texts behind them.
const TYPES: &str = "\
import type { Dashboard } from '@grafana/schema';
type Wire<T> = T extends string ? `${T}` : T extends (infer U)[] ? Wire<U>[]
  : T extends object ? { [K in keyof T]: Wire<T[K]> } : T;
";

#[derive(Args)]
pub struct Arguments {
    /// Change nothing; fail if a file differs.
    #[arg(long)]
    check: bool,
}

impl Arguments {
    pub fn run(&self, root: &Path) -> Result<()> {
        if self.check {
            return check(root);
        }
        for (path, text) in all(root)? {
            fs::write(root.join(path), text)?;
        }
        Ok(())
    }
}

/// Fails when a file differs from the description, or when Grafana would not understand it.
pub fn check(root: &Path) -> Result<()> {
    let files = files(root)?;
    for entry in fs::read_dir(root.join(DIR))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        ensure!(files.contains_key(&name), "{DIR}/{name} is nobody's: remove it");
    }
    for (path, text) in all(root)? {
        let found = fs::read_to_string(root.join(&path)).unwrap_or_default();
        ensure!(found == text, "{path} differs; run `cargo xtask dashboards`");
    }
    let layout = Layout::new(&root.join(".stoa/lint"))?;
    let modules = stack::install_npm(&SCHEMA, &layout, &mut Terminal)?.join("node_modules");
    // Beside the packages, where TypeScript looks for them.
    let work = tempfile::tempdir_in(modules.join(".."))?;
    for (name, text) in &files {
        let name = name.trim_end_matches(".json");
        let module = format!("{TYPES}export const dashboard: Wire<Dashboard> = {text};\n");
        fs::write(work.path().join(format!("{name}.ts")), module)?;
    }
    let compiler = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext"];
    let mut tsc = Command::new(modules.join(".bin/tsc"));
    tsc.args(compiler).args(["--moduleResolution", "bundler", "--target", "es2022"]);
    tsc.args(files.keys().map(|name| work.path().join(name).with_extension("ts")));
    run(&mut tsc)?;
    println!("{} dashboards are what Grafana reads", files.len());
    Ok(())
}

/// Paths and contents of all that is made here, for Grafana and for a cluster.
fn all(root: &Path) -> Result<BTreeMap<String, String>> {
    let dashboards = files(root)?;
    let cluster = cluster::files(root, &dashboards)?;
    let within = |dir: &'static str| move |(name, text)| (format!("{dir}/{name}"), text);
    Ok(dashboards
        .into_iter()
        .map(within(DIR))
        .chain(cluster.into_iter().map(within(CLUSTER)))
        .collect())
}

/// Names and contents.
fn files(root: &Path) -> Result<BTreeMap<String, String>> {
    let text = fs::read_to_string(root.join(DESCRIPTION))?;
    let text = text.replace("$BUDGET_LEFT", &budget_left());
    let dashboards: Vec<Dashboard> = serde_yaml_ng::from_str(&text).context(DESCRIPTION)?;
    let file = |dashboard: &Dashboard| {
        let name = dashboard.uid.trim_start_matches("stoa-");
        let text = serde_json::to_string_pretty(&dashboard.json(DESCRIPTION))?;
        Ok((format!("{name}.json"), text + "\n"))
    };
    dashboards.iter().map(file).collect()
}

/// What is left of each method's budget of failures, as a share of all of it: its promise
/// is in the contract.
fn budget_left() -> String {
    let mut promises: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for method in proto::policy::METHODS {
        if let Some(slo) = method.slo {
            promises.entry(slo.availability_bp).or_default().push(method.name());
        }
    }
    let names = |methods: &[&str]| methods.join("|").replace('.', "[.]");
    // Most promise the same: those are all but the others.
    let most = promises.iter().max_by_key(|(_, methods)| methods.len()).map(|(bp, _)| *bp);
    let others: Vec<&str> =
        promises.iter().filter(|(bp, _)| Some(**bp) != most).flat_map(|(_, m)| m.clone()).collect();
    let of = |(bp, methods): (&u32, &Vec<&str>)| {
        let allowed = f64::from(10_000 - bp) / 10_000.0;
        let which = match Some(*bp) == most {
            true => format!(r#"rpc_method!~"{}""#, names(&others)),
            false => format!(r#"rpc_method=~"{}""#, names(methods)),
        };
        format!("1 - rpc_method:rpc_server_errors:ratio_rate3d{{{which}}} / {allowed}")
    };
    promises.iter().map(of).collect::<Vec<_>>().join(" or ")
}
