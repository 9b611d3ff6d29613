//! The platform as a customer's application sees it: REST, by HTTPS.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use reqwest::{Certificate, Client, Method};
use serde_json::Value;

/// The edge.
#[derive(Debug, Clone)]
pub struct Shop {
    http: Client,
    url: String,
}

impl Shop {
    /// `authorities`: a file with who signs the edge's certificate, beside those that
    /// the machine knows.
    pub fn new(url: &str, authorities: Option<&Path>, patience: Duration) -> Result<Self> {
        // A journey that keeps its connections would not notice that new ones fail.
        let mut http = Client::builder().no_proxy().timeout(patience).pool_max_idle_per_host(0);
        if let Some(file) = authorities {
            let pem = std::fs::read(file)
                .with_context(|| format!("cannot read {} (EDGE_CA)", file.display()))?;
            for certificate in Certificate::from_pem_bundle(&pem).context("EDGE_CA")? {
                http = http.add_root_certificate(certificate);
            }
        }
        Ok(Self { http: http.build()?, url: url.trim_end_matches('/').to_owned() })
    }

    /// Asks as somebody who is not signed in.
    pub async fn post(&self, path: &str, body: Value) -> Result<Value> {
        self.ask(Method::POST, path, None, Some(body)).await
    }

    /// Asks as the owner of a token.
    pub async fn get(&self, token: &str, path: &str) -> Result<Value> {
        self.ask(Method::GET, path, Some(token), None).await
    }

    /// Sends something as the owner of a token; whatever asks for an idempotency key gets
    /// a fresh one.
    pub async fn send(
        &self,
        method: Method,
        token: &str,
        path: &str,
        body: Value,
    ) -> Result<Value> {
        self.ask(method, path, Some(token), Some(body)).await
    }

    /// Takes away, as the owner of a token.
    pub async fn delete(&self, token: &str, path: &str) -> Result<Value> {
        self.ask(Method::DELETE, path, Some(token), None).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Result<Value> {
        let what = format!("{method} {}", path.split('?').next().unwrap_or_default());
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request =
                request.header("idempotency-key", uuid::Uuid::now_v7().to_string()).json(&body);
        }
        if let Some(traceparent) = telemetry::traceparent() {
            request = request.header("traceparent", traceparent);
        }
        let answer = request.send().await.with_context(|| format!("{what} had no answer"))?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            bail!("{what} was answered {status}: {}", reason(&text));
        }
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }
}

/// The stable reason of an error; nothing else of it belongs into a log.
fn reason(text: &str) -> String {
    let error: Value = serde_json::from_str(text).unwrap_or_default();
    let details = error["details"].as_array().cloned().unwrap_or_default();
    let reason = details.iter().find_map(|detail| detail["reason"].as_str());
    reason.unwrap_or("no reason given").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_error_only_its_reason_is_told() {
        let text = r#"{"code":9,"message":"kettle","details":[{"reason":"STOCK_INSUFFICIENT"}]}"#;
        assert_eq!(reason(text), "STOCK_INSUFFICIENT");
        assert_eq!(reason("<html>"), "no reason given");
    }
}
