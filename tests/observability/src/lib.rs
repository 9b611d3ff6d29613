//! Prometheus as tests ask it, and dashboards as it is asked by them.

// It serves tests: what is wrong here ends them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;

use serde_json::Value;

/// A Prometheus that runs.
#[derive(Debug, Clone)]
pub struct Prometheus {
    url: String,
    http: reqwest::Client,
}

impl Prometheus {
    /// The one that listens there; no slash at the end.
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), http: reqwest::Client::new() }
    }

    /// The data of an answer of the HTTP API.
    ///
    /// Fails with what Prometheus says of a request that it refuses.
    pub async fn ask(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let url = format!("{}/api/v1/{path}", self.url);
        let answer: Value = self.http.get(url).query(query).send().await?.json().await?;
        anyhow::ensure!(answer["status"] == "success", "{}", answer["error"]);
        Ok(answer["data"].clone())
    }

    /// What a query answers now, series by series: labels and value.
    pub async fn query(&self, query: &str) -> anyhow::Result<Vec<(Value, f64)>> {
        let data = self.ask("query", &[("query", query)]).await?;
        let series = data["result"].as_array().cloned().unwrap_or_default();
        let value = |one: &Value| one["value"][1].as_str().and_then(|text| text.parse().ok());
        Ok(series.iter().filter_map(|one| Some((one["metric"].clone(), value(one)?))).collect())
    }

    /// The only value of a query; nothing when there is none.
    pub async fn value(&self, query: &str) -> Option<f64> {
        self.query(query).await.ok()?.first().map(|(_, value)| *value)
    }

    /// The names of the alerts that fire.
    pub async fn firing(&self) -> Vec<String> {
        let firing = self.query(r#"ALERTS{alertstate="firing"}"#).await.unwrap_or_default();
        firing.iter().map(|(labels, _)| labels["alertname"].as_str().unwrap().to_owned()).collect()
    }
}

/// A query of a dashboard, and where it stands.
#[derive(Debug, Clone)]
pub struct Query {
    /// Dashboard and panel.
    pub place: String,
    /// PromQL, with everything filled in that Grafana fills in.
    pub expr: String,
}

/// Every query of every dashboard in a directory, variables' ones too.
pub fn queries(dashboards: &Path) -> Vec<Query> {
    let mut files: Vec<_> =
        fs::read_dir(dashboards).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().flat_map(|file| of_dashboard(file)).collect()
}

fn of_dashboard(file: &Path) -> Vec<Query> {
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let title = dashboard["title"].as_str().unwrap();
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let place = format!("{title} / {}", panel["title"].as_str().unwrap());
            queries.push(Query { place, expr: filled(target["expr"].as_str().unwrap()) });
        }
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        let query = variable["query"].as_str().unwrap();
        if let Some((series, _)) =
            query.strip_prefix("label_values(").and_then(|rest| rest.rsplit_once(','))
        {
            queries.push(Query { place: format!("{title} / variable"), expr: filled(series) });
        }
    }
    queries
}

/// As Grafana asks when all is chosen and a minute is shown.
fn filled(expr: &str) -> String {
    let expr = expr.replace("$__rate_interval", "1m").replace("$job", ".+");
    assert!(!expr.contains('$'), "nobody fills in {expr}");
    expr
}
