//! Settings that are secret: wrapped, hidden, readable from a file, and with a place in a
//! cluster.

use std::collections::BTreeSet;
use std::fs;

use regex::Regex;

use crate::tree::{no_complaints, root, sources};

/// Names that say what they hold.
const TELLING: &str = r"(PASSWORD|SECRET|TOKEN|API_KEY|SEALING_KEYS)$";
/// Settings of a provider that is there for tests, and in no cluster.
const FOR_TESTS: &str = "SANDBOX_";

/// A setting as clap's attributes declare it.
struct Setting {
    place: String,
    variable: String,
    hidden: bool,
    wrapped: bool,
}

fn settings(dir: &str) -> Vec<Setting> {
    let field = Regex::new(
        r#"(?s)#\[arg\(([^\]]*?env = "(\w+)"[^\]]*)\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub )?(\w+): ([^,\n]+),"#,
    );
    let field = field.unwrap();
    let mut found = Vec::new();
    for source in sources(dir, "rs").iter().filter(|s| s.path.contains("/src/")) {
        let code = source.text.split("#[cfg(test)]").next().unwrap_or_default();
        for part in field.captures_iter(code) {
            found.push(Setting {
                place: format!("{}: {}", source.path, &part[3]),
                variable: part[2].to_owned(),
                hidden: part[1].contains("hide_env_values = true"),
                wrapped: part[4].contains("Secret"),
            });
        }
    }
    found
}

#[test]
fn secret_settings_are_wrapped_and_hidden() {
    let telling = Regex::new(TELLING).unwrap();
    let all: Vec<_> =
        ["services", "shared", "tools"].iter().flat_map(|dir| settings(dir)).collect();
    assert!(all.iter().filter(|setting| setting.wrapped).count() > 10, "they are not found");
    let complaints: Vec<_> = all
        .iter()
        // What is hidden may come from a file (`runtime::settings`).
        .filter(|s| s.wrapped != s.hidden || (telling.is_match(&s.variable) && !s.wrapped))
        .map(|s| s.place.clone())
        .collect();
    no_complaints("a secret is a SecretString with hide_env_values", &complaints);
}

/// What a service must be told and nobody else may know.
fn secrets_of(service: &str) -> BTreeSet<String> {
    let dir = format!("services/{service}");
    let own = settings(&dir).into_iter().filter(|s| s.wrapped).map(|s| s.variable);
    let mut secrets: BTreeSet<_> = own.filter(|name| !name.starts_with(FOR_TESTS)).collect();
    let config = fs::read_to_string(root().join(dir).join("src/config.rs")).unwrap();
    for (part, variable) in [("DatabaseConfig", "DATABASE_URL"), ("BrokerConfig", "AMQP_URL")] {
        if config.contains(part) {
            secrets.insert(variable.to_owned());
        }
    }
    secrets
}

#[test]
fn every_secret_setting_has_its_place_in_a_cluster() {
    let contract = contract::load(&root()).expect("the contract obeys its rules");
    let vault = Regex::new(r"(?m)^  - secretKey: (\w+)$").unwrap();
    let path = Regex::new(r#"(?m)^path "(.+)""#).unwrap();
    let sealed = Regex::new(r"(?m)^    ([A-Z]\w+): \S+$").unwrap();
    let mut complaints = Vec::new();
    for service in contract.workloads() {
        let wanted = secrets_of(&service);
        for (component, entry) in [("secrets-vault", &vault), ("secrets-sealed", &sealed)] {
            let file = format!("k8s/components/{component}/{service}.yaml");
            let text = fs::read_to_string(root().join(&file)).unwrap_or_default();
            let found: BTreeSet<_> = entry.captures_iter(&text).map(|c| c[1].to_owned()).collect();
            let differing = wanted.symmetric_difference(&found);
            complaints.extend(differing.map(|variable| format!("{file}: {variable}")));
        }
        let policy = format!("k8s/components/secrets-vault/policies/{service}.hcl");
        let text = fs::read_to_string(root().join(&policy)).unwrap_or_default();
        let paths: BTreeSet<_> = path.captures_iter(&text).map(|c| c[1].to_owned()).collect();
        let allowed =
            [&format!("stoa/data/{service}"), "auth/token/lookup-self", "auth/token/revoke-self"];
        if paths != allowed.map(str::to_owned).into() {
            complaints.push(format!("{policy}: {paths:?}"));
        }
    }
    no_complaints("settings of services and secrets in the cluster differ", &complaints);
}
