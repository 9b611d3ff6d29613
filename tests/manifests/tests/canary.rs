//! A canary is judged by what the alerts call a fault.

use manifests::Objects;
use regex::Regex;

use crate::{overlay, root};

#[test]
fn a_canary_is_judged_by_what_the_alerts_call_a_fault() {
    let rules = root().join("observability/prometheus/rules/requests.yaml");
    let rules = std::fs::read_to_string(rules).unwrap();
    let codes = Regex::new(r#"rpc_response_status_code(!~|=~)"([A-Z_|]+)""#).unwrap();
    let all = |text: &str| -> std::collections::BTreeSet<(String, String)> {
        codes.captures_iter(text).map(|c| (c[1].to_owned(), c[2].to_owned())).collect()
    };
    let objects = Objects::new(overlay("production"));
    let template = objects.find("AnalysisTemplate", "stoa", "promises").unwrap();
    let query = template.at("/spec/metrics/0/provider/prometheus/query").as_str().unwrap();
    assert_eq!(all(query).len(), 2, "{query}");
    assert_eq!(all(query), all(&rules));
}
