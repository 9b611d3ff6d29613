//! What watches in a cluster, as far as it can be known without one.

use std::collections::BTreeSet;
use std::fs;

use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::platform::root;

const COMPONENT: &str = "k8s/components/observability";

fn documents(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(root().join(file)).unwrap();
    serde_yaml_ng::Deserializer::from_str(&text).map(|d| Value::deserialize(d).unwrap()).collect()
}

fn of_kind(file: &str, kind: &str) -> Vec<Value> {
    let file = format!("{COMPONENT}/{file}");
    documents(&file).into_iter().filter(|object| object["kind"] == kind).collect()
}

/// The configuration of a collector, which stands in a map of its manifest.
fn collector(name: &str) -> Value {
    let map = of_kind(&format!("{name}.yaml"), "ConfigMap").remove(0);
    serde_yaml_ng::from_str(map["data"][format!("{name}.yaml")].as_str().unwrap()).unwrap()
}

fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
}

#[test]
fn every_part_of_a_collectors_pipelines_is_configured_and_every_part_is_used() {
    for name in ["collector", "sampler", "logs"] {
        let config = collector(name);
        for kind in ["receivers", "processors", "exporters"] {
            let pipelines = config["service"]["pipelines"].as_object().unwrap();
            let used: BTreeSet<String> = pipelines
                .values()
                .flat_map(|pipeline| pipeline[kind].as_array().unwrap().clone())
                .map(|part| part.as_str().unwrap().to_owned())
                .collect();
            assert_eq!(used, keys(&config[kind]), "{kind} of {name}");
        }
        let extensions: BTreeSet<String> = config["service"]["extensions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(extensions, keys(&config["extensions"]), "extensions of {name}");
    }
}

#[test]
fn collectors_limit_their_memory_first_and_batch_last() {
    for name in ["collector", "sampler", "logs"] {
        let config = collector(name);
        for (_, pipeline) in config["service"]["pipelines"].as_object().unwrap() {
            let processors = pipeline["processors"].as_array().unwrap();
            assert_eq!(processors.first().unwrap(), "memory_limiter", "{name}");
            assert_eq!(processors.last().unwrap(), "batch", "{name}");
        }
    }
}

#[test]
fn failures_and_slow_traces_are_kept_and_of_the_rest_a_share() {
    let policies = collector("sampler")["processors"]["tail_sampling"]["policies"].clone();
    let kinds: Vec<_> = policies.as_array().unwrap().iter().map(|p| p["type"].clone()).collect();
    assert_eq!(kinds, [json!("status_code"), json!("latency"), json!("probabilistic")]);
    assert_eq!(policies[0]["status_code"]["status_codes"], json!(["ERROR"]));
}

#[test]
fn the_collector_takes_out_what_a_log_must_not_hold() {
    let redaction = collector("collector")["processors"]["redaction"].clone();
    let patterns: Vec<regex::Regex> = redaction["blocked_values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pattern| regex::Regex::new(pattern.as_str().unwrap()).unwrap())
        .collect();
    for secret in ["4242424242424242", "ada@example.com", "eyJhbGciOiJFUzI1NiJ9.eyJzdWIi.c2ln"] {
        assert!(patterns.iter().any(|pattern| pattern.is_match(secret)), "{secret} gets through");
    }
    let harmless = ["stoa.orders.v1.OrderService/PlaceOrder", "select * from orders where id = $1"];
    for text in harmless {
        assert!(!patterns.iter().any(|pattern| pattern.is_match(text)), "{text} is taken out");
    }
}

/// A matcher of Alertmanager's file, from the operator's.
fn matcher(of: &Value) -> String {
    let text = |field: &str| of[field].as_str().unwrap();
    format!("{}{}\"{}\"", text("name"), text("matchType"), text("value"))
}

#[test]
fn a_cluster_tells_whom_the_file_says_that_amtool_tries() {
    let file = documents("observability/alertmanager/alertmanager.yaml").remove(0);
    let objects = of_kind("alertmanager.yaml", "AlertmanagerConfig");
    let [page, ticket] = objects.as_slice() else { panic!("two branches") };
    let (root, branch) = (&file["route"], &file["route"]["routes"][0]);
    for (ours, theirs) in [
        ("receiver", "receiver"),
        ("group_wait", "groupWait"),
        ("group_interval", "groupInterval"),
        ("repeat_interval", "repeatInterval"),
    ] {
        assert_eq!(page["spec"]["route"][theirs], root[ours], "{theirs} of pages");
        assert_eq!(ticket["spec"]["route"][theirs], branch[ours], "{theirs} of tickets");
    }
    assert_eq!(page["spec"]["route"]["groupBy"], root["group_by"]);
    assert_eq!(ticket["spec"]["route"]["groupBy"], root["group_by"]);
    assert_eq!(matcher(&ticket["spec"]["route"]["matchers"][0]), branch["matchers"][0]);
    // What the file's root takes: all that the branch does not.
    assert_eq!(matcher(&page["spec"]["route"]["matchers"][0]), r#"severity!="ticket""#);

    let rules = page["spec"]["inhibitRules"].as_array().unwrap();
    let expected = file["inhibit_rules"].as_array().unwrap();
    assert_eq!(rules.len(), expected.len());
    for (rule, expected) in rules.iter().zip(expected) {
        for (ours, theirs) in
            [("source_matchers", "sourceMatch"), ("target_matchers", "targetMatch")]
        {
            let found: Vec<_> = rule[theirs].as_array().unwrap().iter().map(matcher).collect();
            assert_eq!(json!(found), expected[ours]);
        }
        assert_eq!(rule["equal"], expected["equal"]);
    }
}
