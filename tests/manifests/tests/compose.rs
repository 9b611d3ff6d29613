//! Compose files: valid by the specification's schema, and telling programs what they know.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;
use stack::{Layout, Ports, Terminal};

use crate::root;
use crate::settings::{HIDDEN, help};

const FILES: [&str; 3] =
    ["docker-compose.yml", "docker-compose.dev.yml", "docker-compose.test.yml"];

const VALIDATOR: [&str; 2] = ["jsonschema==4.26.0", "PyYAML==6.0.3"];
/// Its wheel carries the specification's schema; the program in it is long dead, and what
/// it needs cannot be installed any more.
const SCHEMA: &str = "docker-compose==1.29.2";

const SCRIPT: &str = r#"
import json, os, subprocess, sys
import jsonschema, yaml
cache, package, *files = sys.argv[1:]
schema = os.path.join(cache, "compose/config/compose_spec.json")
if not os.path.exists(schema):
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", cache, package], check=True)
validator = jsonschema.Draft7Validator(json.load(open(schema)))
for file in files:
    text = yaml.safe_load(open(file))
    text.pop("name", None)  # Younger than the schema.
    for error in validator.iter_errors(text):
        sys.exit(f"{file}: {error.json_path}: {error.message}")
    print(file, len(text["services"]), "services")
broken = {"services": {"a": {"image": "x", "comand": "y"}}}
if validator.is_valid(broken):
    sys.exit("the schema lets anything through")
"#;

fn compose(name: &str) -> Value {
    let text = fs::read_to_string(root().join(name)).unwrap();
    let mut value: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).unwrap();
    value.apply_merge().unwrap();
    serde_json::to_value(value).unwrap()
}

#[test]
fn compose_files_are_what_the_specification_says() {
    let layout = Layout::new(&root().join(".stoa/lint")).unwrap();
    let bin = stack::python_programs(&VALIDATOR, &layout, &mut Terminal).unwrap();
    let cache = stack::cache_dir().unwrap().join("compose-schema-1.29.2");
    let mut python = Command::new(bin.join("python"));
    python.current_dir(root()).args(["-c", SCRIPT]).arg(cache).arg(SCHEMA).args(FILES);
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    print!("{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn what_a_service_names_is_there() {
    let file = compose(FILES[0]);
    let services = file["services"].as_object().unwrap();
    for (name, service) in services {
        for other in service["depends_on"].as_object().into_iter().flat_map(|all| all.keys()) {
            assert!(services.contains_key(other), "{name} waits for {other}");
        }
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let (from, _) = volume.as_str().unwrap().split_once(':').unwrap();
            let there = match from.strip_prefix("./") {
                Some(path) => root().join(path).exists(),
                None => file["volumes"].get(from).is_some(),
            };
            assert!(there, "{name} mounts {from}");
        }
        let image = service["image"].as_str().unwrap();
        assert!(
            image.contains("/stoa/") || !image.ends_with(":latest") && image.contains(':'),
            "{image}"
        );
        for (variable, value) in service["environment"].as_object().into_iter().flatten() {
            let host =
                value.as_str().and_then(|v| v.split_once("://")).map_or("", |(_, rest)| rest);
            let host = host.split([':', '/', '(']).next().unwrap_or_default();
            let known = services.contains_key(host) || ["", "127.0.0.1"].contains(&host);
            assert!(known, "{name}: {variable} names {host}");
        }
    }
}

#[test]
fn programs_know_what_compose_tells_them() {
    let file = compose(FILES[0]);
    let mut seen = 0;
    for (name, service) in file["services"].as_object().unwrap() {
        let image = service["image"].as_str().unwrap();
        let Some((_, program)) = image.split_once("/stoa/") else { continue };
        let program = program.split(':').next().unwrap();
        let mut settings = help(program);
        let hidden = HIDDEN.iter().filter(|(of, _)| *of == program);
        settings.secret.extend(hidden.clone().map(|(_, variable)| (*variable).to_owned()));
        settings.known.extend(hidden.map(|(_, variable)| (*variable).to_owned()));
        let mut told = BTreeSet::new();
        for variable in service["environment"].as_object().unwrap().keys() {
            let of_file = variable.strip_suffix("_FILE").filter(|v| settings.secret.contains(*v));
            let meant = of_file.unwrap_or(variable);
            assert!(settings.known.contains(meant), "{name} knows no {variable}");
            told.insert(meant.to_owned());
            seen += 1;
        }
        let missing: Vec<_> = settings.required.difference(&told).collect();
        assert!(missing.is_empty(), "{name} needs {missing:?}");
    }
    assert!(seen > 80, "{seen}");
}

#[test]
fn compose_has_the_ports_of_make_up() {
    let ports = Ports::fixed();
    let text =
        [FILES[0], FILES[1]].map(|name| fs::read_to_string(root().join(name)).unwrap()).join("\n");
    for port in [ports.edge, ports.edge_tls, ports.postgres, ports.amqp, ports.redis, ports.smtp] {
        assert!(text.contains(&format!("127.0.0.1:{port}:")), "{port}");
    }
}

#[test]
fn compose_makes_every_file_that_it_names() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("made");
    let script = root().join("deploy/compose/init.sh");
    let output = Command::new("sh").arg(script).arg(&made).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = compose(FILES[0]).to_string();
    let path = regex::Regex::new(r#"/run/stoa/([A-Za-z0-9_./-]+[a-zA-Z])"#).unwrap();
    let mut seen = 0;
    for named in path.captures_iter(&text) {
        assert!(made.join(&named[1]).exists(), "{} is not made", &named[0]);
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
    assert!(!made.join("pki/authority.key").exists(), "the authority's key is of no more use");
}
