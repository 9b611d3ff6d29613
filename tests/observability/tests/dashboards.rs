//! Dashboards, asked of a Prometheus that watches real services.

use std::time::Duration;

use observability::queries;

use crate::platform::{root, with_watched, within};

#[test]
fn every_query_of_every_dashboard_has_an_answer() {
    with_watched(async |watched| {
        let queries = queries(&root().join("observability/grafana/dashboards"));
        assert!(queries.len() > 90, "{} queries are too few to be all", queries.len());
        let mut silent = Vec::new();
        // Some need a step that the next journey or round of rules brings: not for long.
        within(Duration::from_secs(90), "every query has an answer", async || {
            silent.clear();
            for query in &queries {
                match watched.prometheus.query(&query.expr).await {
                    Ok(series) if series.iter().any(|(_, value)| !value.is_nan()) => {}
                    Ok(_) => silent.push(format!("{}: nothing for {}", query.place, query.expr)),
                    Err(error) => panic!("{}: {error}: {}", query.place, query.expr),
                }
            }
            if !silent.is_empty() {
                println!("without an answer yet:\n  {}", silent.join("\n  "));
            }
            silent.is_empty()
        })
        .await;
        println!("{} queries have an answer", queries.len());
    });
}

#[test]
fn a_query_that_nothing_answers_would_be_noticed() {
    with_watched(async |watched| {
        let of_nothing = watched.prometheus.query("rpc_server_duration_seconds_count").await;
        assert!(of_nothing.unwrap().is_empty());
        assert!(watched.prometheus.query("sum by (").await.is_err());
    });
}
