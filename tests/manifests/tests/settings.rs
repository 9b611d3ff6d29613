//! Every variable of a container is a setting of its program, and every setting that its
//! program must have is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use manifests::{OVERLAYS, Object, Objects};
use regex::Regex;
use serde_json::Value;

use crate::overlay;

/// What `--help` keeps to itself.
pub const HIDDEN: [(&str, &str); 2] = [("stoactl", "STOA_TOKEN"), ("stoactl", "STOA_PASSWORD")];

/// What a program says of its settings.
pub struct Settings {
    pub known: BTreeSet<String>,
    pub secret: BTreeSet<String>,
    pub required: BTreeSet<String>,
}

fn bin_dir() -> PathBuf {
    // target/debug/deps/<test> → target/debug
    let beside = || std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    std::env::var_os("STOA_BIN_DIR").map_or_else(beside, PathBuf::from)
}

pub fn help(program: &str) -> Settings {
    let path = bin_dir().join(program);
    let output = Command::new(&path).arg("--help").env_clear().output();
    let output = output.unwrap_or_else(|error| {
        panic!("{}: {error}; `cargo build --workspace --bins` makes it", path.display())
    });
    let text = String::from_utf8(output.stdout).unwrap();
    // A value that may be shown follows an equals sign; of a secret there is none.
    let variable = Regex::new(r"\[env: (\w+)(=?)").unwrap();
    let found: Vec<_> = variable.captures_iter(&text).collect();
    let known = found.iter().map(|c| c[1].to_owned()).collect();
    let secret = found.iter().filter(|c| c[2].is_empty()).map(|c| c[1].to_owned()).collect();
    // `Usage: orders [OPTIONS] --database-url <DATABASE_URL> …`: clap names what must be.
    let usage = text.lines().find(|line| line.starts_with("Usage: ")).unwrap();
    let flag = Regex::new(r"--([a-z0-9-]+) <").unwrap();
    let required = flag.captures_iter(usage).map(|c| c[1].replace('-', "_").to_uppercase());
    Settings { known, secret, required: required.collect() }
}

/// The program in an image of ours.
fn program(container: &Value) -> Option<&str> {
    let (repository, _) = container["image"].as_str()?.rsplit_once(':')?;
    repository.split_once("/stoa/").map(|(_, program)| program)
}

#[test]
fn containers_are_told_what_their_programs_know_and_need() {
    let mut programs: BTreeMap<String, Settings> = BTreeMap::new();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for name in OVERLAYS {
        // Those who watch included: one of their programs is ours.
        let objects = Objects(overlay(name).into_iter().map(Object).collect());
        for workload in objects.workloads() {
            for container in workload.containers() {
                let Some(program) = program(container) else { continue };
                let settings = programs.entry(program.to_owned()).or_insert_with(|| help(program));
                let mut told = BTreeSet::new();
                for setting in container["env"].as_array().into_iter().flatten() {
                    seen += 1;
                    let variable = setting["name"].as_str().unwrap();
                    let of_file = variable.strip_suffix("_FILE");
                    let meant = of_file.filter(|name| settings.secret.contains(*name));
                    let meant = meant.unwrap_or(variable);
                    if HIDDEN.contains(&(program, variable)) && setting["valueFrom"].is_object() {
                        continue;
                    }
                    if !settings.known.contains(meant) {
                        wrong.push(format!("{name}: {workload}: {program} knows no {variable}"));
                    }
                    if settings.secret.contains(variable) && !setting["valueFrom"].is_object() {
                        wrong.push(format!(
                            "{name}: {workload}: {variable} is a secret in the open"
                        ));
                    }
                    told.insert(meant.to_owned());
                }
                for missing in settings.required.difference(&told) {
                    wrong.push(format!("{name}: {workload}: {program} needs {missing}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n  {}", wrong.join("\n  "));
    assert!(seen > 200 && programs.len() >= 10, "{seen} settings of {} programs", programs.len());
    println!("{seen} settings of {} programs", programs.len());
}

#[test]
fn a_setting_that_is_needed_is_found_in_the_help() {
    let orders = help("orders");
    assert!(orders.required.contains("DATABASE_URL"), "{:?}", orders.required);
    assert!(orders.secret.contains("DATABASE_URL"), "{:?}", orders.secret);
    assert!(orders.known.contains("SAGA_LEASE_MS") && !orders.secret.contains("SAGA_LEASE_MS"));
}
