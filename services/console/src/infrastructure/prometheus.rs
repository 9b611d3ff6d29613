//! Prometheus' HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/).

mod answers;
mod questions;

use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use futures::future::{join_all, try_join_all};
use serde_json::Value;

use self::questions::{Question, history, now, promises};
use crate::core::ports::{Away, Measurements};
use crate::domain::house::House;
use crate::domain::reading::{Alert, Line, Readings};

/// Somebody looks at the page and waits.
const PATIENCE: Duration = Duration::from_secs(3);
/// The past that is shown, and the distance of its points, in seconds.
const PAST: u64 = 900;
const STEP: u64 = 15;

/// A Prometheus.
pub struct Prometheus {
    url: String,
    http: reqwest::Client,
    now: Vec<Question>,
    promises: Vec<Question>,
}

impl Prometheus {
    pub fn new(url: &str, house: &House, window: &str, budget_window: &str) -> Result<Self> {
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            http: reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?,
            now: now(window),
            promises: promises(house, budget_window),
        })
    }

    async fn ask(&self, path: &str, parameters: &[(&str, String)]) -> Result<Value, Away> {
        let url = format!("{}/api/v1/{path}", self.url);
        let away = |error: reqwest::Error| {
            let why =
                if error.is_timeout() { "does not answer in time" } else { "does not answer" };
            Away(format!("Prometheus at {} {why}", self.url))
        };
        let request = self.http.get(url).query(parameters);
        let answer: Value = request.send().await.map_err(away)?.json().await.map_err(away)?;
        answers::data(answer).map_err(|why| Away(format!("Prometheus refuses: {why}")))
    }

    async fn all(&self, questions: &[Question]) -> Result<Readings, Away> {
        let answers = questions.iter().map(async |(name, query)| {
            let data = self.ask("query", &[("query", query.clone())]).await?;
            Ok::<_, Away>((*name, answers::samples(&data)))
        });
        Ok(Readings(try_join_all(answers).await?.into_iter().collect()))
    }
}

#[async_trait]
impl Measurements for Prometheus {
    async fn now(&self) -> Result<Readings, Away> {
        self.all(&self.now).await
    }

    async fn promises(&self) -> Result<Readings, Away> {
        self.all(&self.promises).await
    }

    async fn history(&self) -> Result<Vec<Line>, Away> {
        let now = types::now().unix_timestamp() as u64;
        let end = now - now % STEP;
        let lines = history().into_iter().map(async |(name, query)| {
            let parameters = [
                ("query", query),
                ("start", (end - PAST).to_string()),
                ("end", end.to_string()),
                ("step", STEP.to_string()),
            ];
            let data = self.ask("query_range", &parameters).await?;
            Ok(Line { name, values: answers::line(&data, end - PAST, STEP, PAST / STEP + 1) })
        });
        join_all(lines).await.into_iter().collect()
    }

    async fn alerts(&self) -> Result<Vec<Alert>, Away> {
        Ok(answers::alerts(&self.ask("alerts", &[]).await?))
    }

    fn url(&self) -> &str {
        &self.url
    }
}
