//! Prometheus sees every process, knows every rule and tells Alertmanager; in health nobody
//! is woken.

use std::collections::BTreeSet;

use crate::platform::{Watched, with_watched};

async fn groups(watched: &Watched) -> Vec<serde_json::Value> {
    let rules = watched.prometheus.ask("rules", &[]).await.unwrap();
    rules["groups"].as_array().unwrap().clone()
}

#[test]
fn every_process_of_the_platform_is_a_job_that_answers() {
    with_watched(async |watched| {
        let up = watched.prometheus.query("up == 1").await.unwrap();
        let jobs: BTreeSet<&str> = up.iter().map(|(of, _)| of["job"].as_str().unwrap()).collect();
        let others = [
            "alertmanager",
            "docs",
            "edge",
            "guard",
            "prober",
            "prometheus",
            "rabbitmq",
            "sandbox",
        ];
        for job in stack::SERVICES.iter().chain(&others) {
            assert!(jobs.contains(job), "{job} does not answer; those who do: {jobs:?}");
        }
        assert_eq!(watched.prometheus.value("count(up == 0) or vector(0)").await, Some(0.0));
    });
}

#[test]
fn every_rule_is_loaded_and_works() {
    with_watched(async |watched| {
        let groups = groups(watched).await;
        let rules: Vec<_> = groups.iter().flat_map(|g| g["rules"].as_array().unwrap()).collect();
        assert!(rules.len() > 1_000, "{} rules", rules.len());
        for rule in &rules {
            assert_eq!(rule["health"], "ok", "{}: {}", rule["name"], rule["lastError"]);
        }
        for group in ["requests", "customers", "workloads", "facts", "sagas"] {
            assert!(groups.iter().any(|found| found["name"] == group), "no rules of {group}");
        }
    });
}

#[test]
fn a_round_of_rules_takes_much_less_than_its_minute() {
    with_watched(async |watched| {
        let took = "sum(prometheus_rule_group_last_duration_seconds)";
        let took = watched.prometheus.value(took).await.unwrap();
        assert!(took < 15.0, "{took} s");
    });
}

#[test]
fn alerts_reach_alertmanager_and_in_health_there_are_none() {
    with_watched(async |watched| {
        let managers = watched.prometheus.ask("alertmanagers", &[]).await.unwrap();
        assert_eq!(managers["activeAlertmanagers"].as_array().unwrap().len(), 1);
        assert_eq!(watched.prometheus.firing().await, Vec::<String>::new());
        let url = format!("{}/api/v2/status", watched.platform.stack.alertmanager_url());
        let status = reqwest::get(url).await.unwrap().text().await.unwrap();
        assert!(status.contains("receiver: ticket"), "{status}");
    });
}

#[test]
fn what_watches_is_light() {
    with_watched(async |watched| {
        for (job, megabytes) in [("prometheus", 400.0), ("alertmanager", 80.0), ("prober", 80.0)] {
            let query = format!(r#"process_resident_memory_bytes{{job="{job}"}} / 1048576"#);
            let used = watched.prometheus.value(&query).await.unwrap();
            println!("{job} has {used:.0} MB");
            assert!(used < megabytes, "{job} has {used:.0} MB");
        }
    });
}
