//! What the manifests may say.

use crate::tree::{no_complaints, root, sources};

/// A test may start the payment provider beside the service that calls it.
const ALLOWED_PAIR: (&str, &str) = ("services/payments/Cargo.toml", "sandbox");

#[test]
fn versions_and_features_are_declared_in_the_root_manifest_alone() {
    let mut complaints = Vec::new();
    for manifest in sources(".", "toml").iter().filter(|s| s.path.ends_with("/Cargo.toml")) {
        let mut in_dependencies = false;
        for line in manifest.text.lines() {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies]");
                continue;
            }
            let elsewhere = !line.contains("workspace = true") || line.contains("features");
            if in_dependencies && line.contains('=') && elsewhere {
                complaints.push(format!("{}: {line}", manifest.path));
            }
        }
    }
    no_complaints("a dependency is declared outside the root manifest", &complaints);
}

#[test]
fn services_and_shared_crates_depend_on_no_service() {
    let services: Vec<String> = std::fs::read_dir(root().join("services"))
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let manifests = ["services", "shared", "proto", "contract"].map(|dir| sources(dir, "toml"));
    let mut complaints = Vec::new();
    for manifest in manifests.iter().flatten() {
        for service in &services {
            let line = format!("\n{service}.workspace");
            let pair = (manifest.path.as_str(), service.as_str());
            if manifest.text.contains(&line) && pair != ALLOWED_PAIR {
                complaints.push(format!("{} depends on {service}", manifest.path));
            }
        }
    }
    no_complaints("a crate depends on a service", &complaints);
}

#[test]
fn every_shared_crate_says_what_it_does_and_what_it_does_not() {
    let mut complaints = Vec::new();
    for entry in std::fs::read_dir(root().join("shared")).unwrap() {
        let readme = entry.unwrap().path().join("README.md");
        let text = std::fs::read_to_string(&readme).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default().to_owned();
        if !(first.starts_with("Does ") && first.contains("does not ")) {
            complaints.push(format!("{}: {first:?}", readme.display()));
        }
    }
    no_complaints("a README does not begin `Does …; does not …`", &complaints);
}
