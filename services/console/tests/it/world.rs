//! A console while a test runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use console::app::App;
use console::config::Config;
use reqwest::RequestBuilder;
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};

pub struct World {
    pub base: String,
    pub otlp: String,
    pub http: reqwest::Client,
    _stop: DropGuard,
}

impl World {
    /// With further settings.
    pub async fn start(more: &[&str]) -> Self {
        let free = "127.0.0.1:0";
        let ports = ["--http-addr", free, "--otlp-addr", free, "--admin-addr", free];
        let nobody = ["--prometheus-url", "http://127.0.0.1:1"];
        let runbooks = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations/runbooks");
        let given = ["console", "--runbooks-dir", runbooks].into_iter().chain(ports);
        let nobody = nobody.into_iter().filter(|_| !more.contains(&"--prometheus-url"));
        let config = Config::parse_from(given.chain(nobody).chain(more.iter().copied()));
        let app = App::build(config, Arc::new(String::new)).await.unwrap();
        let base = format!("http://{}", app.http_addr().unwrap());
        let otlp = format!("http://{}", app.otlp_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(app.run(stop.clone()));
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
        Self { base, otlp, http, _stop: stop.drop_guard() }
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.base))
    }

    pub async fn json(&self, path: &str) -> Value {
        self.get(path).send().await.unwrap().json().await.unwrap()
    }

    /// Waits until an answer passes.
    pub async fn eventually(&self, path: &str, passes: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let answer = self.json(path).await;
            if passes(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{path}: {answer}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
