//! Who may know what inside a service.

use crate::tree::{no_complaints, sources};

/// A layer and what must not be named in it.
const LAYERS: [(&str, &[&str]); 4] = [
    ("domain", &["async fn", "sqlx::", "tonic::", "proto::", "grpc::", "lapin::", "redis::"]),
    ("core", &["sqlx::", "tonic::", "proto::", "grpc::", "lapin::", "redis::", "reqwest::"]),
    ("api", &["sqlx::", "lapin::", "redis::", "reqwest::"]),
    ("main", &["sqlx::", "tonic::", "proto::"]),
];

#[test]
fn each_layer_of_a_service_knows_only_what_it_may() {
    let mut complaints = Vec::new();
    for source in sources("services", "rs").iter().filter(|s| s.path.contains("/src/")) {
        let inside = source.path.split("/src/").nth(1).unwrap();
        let layer = inside.split(['/', '.']).next().unwrap();
        let Some((_, banned)) = LAYERS.iter().find(|(name, _)| *name == layer) else { continue };
        for (number, line) in source.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            // A consumer's effect runs in the inbox's transaction, which it is handed.
            if inside.contains("consumer") && code.contains("sqlx::PgConnection") {
                continue;
            }
            for word in banned.iter().filter(|word| names(code, word)) {
                complaints.push(format!("{}:{}: {word} in {layer}", source.path, number + 1));
            }
        }
    }
    no_complaints("layers (domain ← core ← api, infrastructure; app knows all)", &complaints);
}

#[test]
fn only_the_events_crate_knows_the_broker() {
    let complaints: Vec<_> = ["services", "shared", "xtask"]
        .iter()
        .flat_map(|dir| sources(dir, "rs"))
        .filter(|s| !s.path.starts_with("shared/events/") && names(&s.text, "lapin::"))
        .map(|s| format!("{}: uses lapin", s.path))
        .collect();
    no_complaints("lapin is known to shared/events alone", &complaints);
}

#[test]
fn handlers_check_no_roles() {
    // The gate does, from the contract.
    let complaints: Vec<_> = sources("services", "rs")
        .iter()
        .filter(|s| s.path.contains("/src/api"))
        .flat_map(|s| {
            let lines = s.text.lines().enumerate();
            let found = lines.filter(|(_, l)| l.contains(".roles.contains"));
            found.map(|(n, _)| format!("{}:{}", s.path, n + 1)).collect::<Vec<_>>()
        })
        .collect();
    no_complaints("a handler looks at roles", &complaints);
}

/// True when the code names the path itself, not a longer word that ends with it.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}
