//! Whether those who watch remember what they saw.

use super::Rule;
use crate::object::Objects;

pub(super) const CHECKS: &[Rule] = &[(
    "what Prometheus and Alertmanager know outlives their pods, and fits their disks",
    remembers,
)];

/// Bytes of a size as Kubernetes and Prometheus write it: to both a `G` here is 2^30.
fn bytes(size: &str) -> Option<u64> {
    let digits = size.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &size[digits.len()..] {
        "Mi" | "MB" => 1 << 20,
        "Gi" | "GB" => 1 << 30,
        "Ti" | "TB" => 1_u64 << 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn remembers(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for one in ["Prometheus", "Alertmanager"].iter().flat_map(|kind| objects.of(kind)) {
        let asked = one.at("/spec/storage/volumeClaimTemplate/spec/resources/requests/storage");
        let Some(disk) = asked.as_str().and_then(bytes) else {
            found.push(format!("{one} has no disk of its own"));
            continue;
        };
        if one.kind() != "Prometheus" {
            continue;
        }
        // A tenth for what is being written and put together.
        let most = one.at("/spec/retentionSize").as_str().and_then(bytes);
        if most.is_none_or(|most| most / 9 > disk / 10) {
            found.push(format!("{one}: its disk is full before it forgets"));
        }
        if !one.at("/spec/retention").is_string() {
            found.push(format!("{one} does not say how long it remembers"));
        }
    }
    found
}
