//! Every alert leads to a page that says what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use regex::Regex;

use crate::tree::{no_complaints, root, sources};

/// An alert as it stands in a file of rules: where, its name, and where it leads.
struct Alert {
    place: String,
    name: String,
    runbook: Option<String>,
}

fn alerts() -> Vec<Alert> {
    let name = Regex::new(r"^\s*- alert: (\w+)$").unwrap();
    let runbook = Regex::new(r"^\s*runbook: (\S+)$").unwrap();
    let mut alerts = Vec::<Alert>::new();
    for source in sources("observability/prometheus", "yaml") {
        if source.path.contains("/tests/") {
            continue;
        }
        for (number, line) in source.text.lines().enumerate() {
            if let Some(found) = name.captures(line) {
                let place = format!("{}:{}", source.path, number + 1);
                alerts.push(Alert { place, name: found[1].to_owned(), runbook: None });
            } else if let (Some(found), Some(last)) = (runbook.captures(line), alerts.last_mut()) {
                last.runbook = Some(found[1].to_owned());
            }
        }
    }
    alerts
}

/// The anchors of a page, as GitHub makes them of headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter_map(|line| line.strip_prefix('#'));
    let kept = |c: &char| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_';
    headings
        .map(|heading| heading.trim_start_matches('#').trim().to_lowercase())
        .map(|heading| heading.chars().filter(kept).collect::<String>().replace(' ', "-"))
        .collect()
}

#[test]
fn every_alert_names_a_page_and_a_place_on_it_that_exist() {
    let mut pages: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut complaints = Vec::new();
    for Alert { place, name, runbook } in alerts() {
        let Some(runbook) = runbook else {
            complaints.push(format!("{place}: {name} has no runbook"));
            continue;
        };
        let (page, anchor) = runbook.split_once('#').unwrap_or((&runbook, ""));
        let text = pages
            .entry(page.to_owned())
            .or_insert_with_key(|page| fs::read_to_string(root().join(page)).ok());
        match text {
            None => complaints.push(format!("{place}: there is no {page}")),
            Some(text) if !page.starts_with("docs/operations/runbooks/") => {
                complaints.push(format!("{place}: {page} of {} letters is none", text.len()));
            }
            // One page for the alerts that are generated for every method.
            Some(text) if anchor.is_empty() && place.contains("/rules/") => {
                if !text.contains(&format!("`{name}`")) {
                    complaints.push(format!("{place}: {page} does not tell of {name}"));
                }
            }
            Some(text) if !anchors(text).contains(anchor) => {
                complaints.push(format!("{place}: {page} has no place #{anchor}"));
            }
            Some(_) => {}
        }
    }
    no_complaints("alerts without a runbook", &complaints);
}

#[test]
fn every_alert_says_how_much_haste_it_has() {
    let severity = Regex::new(r"^\s*severity: (page|ticket)$").unwrap();
    let mut complaints = Vec::new();
    for source in sources("observability/prometheus", "yaml") {
        if source.path.contains("/tests/") {
            continue;
        }
        let (alerts, severities) = (
            source.text.lines().filter(|line| line.trim_start().starts_with("- alert: ")).count(),
            source.text.lines().filter(|line| severity.is_match(line)).count(),
        );
        if alerts != severities {
            complaints.push(format!("{}: {alerts} alerts, {severities} say it", source.path));
        }
    }
    no_complaints("an alert is neither a page nor a ticket", &complaints);
}

#[test]
fn runbooks_tell_of_no_alert_that_there_is_not() {
    let known: BTreeSet<String> = alerts().into_iter().map(|alert| alert.name).collect();
    // An alert's name alone on a heading.
    let heading = Regex::new(r"^## ((?:[A-Z][a-z]+){2,})$").unwrap();
    let complaints: Vec<_> = sources("docs/operations/runbooks", "md")
        .iter()
        .flat_map(|page| page.text.lines().map(|line| (page.path.clone(), line.to_owned())))
        .filter_map(|(path, line)| Some((path, heading.captures(&line)?[1].to_owned())))
        .filter(|(_, name)| !known.contains(name))
        .map(|(path, name)| format!("{path}: {name}"))
        .collect();
    no_complaints("a runbook for an alert that is gone", &complaints);
}
