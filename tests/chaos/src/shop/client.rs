//! The edge as a careful client calls it: no answer is an answer too.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

/// Longer than the longest deadline behind the edge.
const PATIENCE: Duration = Duration::from_secs(12);
const PASSWORD: &str = "correct horse battery";

/// An HTTP client of the edge.
#[derive(Clone)]
pub struct Edge {
    http: reqwest::Client,
    base: String,
}

/// Somebody who has signed in.
#[derive(Clone)]
pub struct Account {
    pub user_id: Uuid,
    email: String,
    token: String,
}

/// What the edge answered.
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Edge {
    pub fn new(base: &str) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
        Ok(Self { http, base: base.to_owned() })
    }

    /// A new customer.
    pub async fn register(&self) -> Result<Account> {
        let email = new_email();
        let answer = self.sign_up(&email).await?;
        account(email, &answer.success()?)
    }

    /// The same, answered as it comes; [`Answer::account`] knows who it is then.
    pub async fn sign_up(&self, email: &str) -> Result<Answer> {
        let body = json!({"email": email, "password": PASSWORD, "display_name": "Ada"});
        send(self.request(Method::POST, "/v1/auth/register").json(&body)).await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Result<Account> {
        let body = json!({"email": email, "password": password});
        let request = self.request(Method::POST, "/v1/auth/login").json(&body);
        account(email.to_owned(), &send(request).await?.success()?)
    }

    /// A new token for somebody whose token is too old.
    pub async fn sign_in_again(&self, account: &mut Account) -> Result<()> {
        *account = self.sign_in(&account.email, PASSWORD).await?;
        Ok(())
    }

    pub async fn post(
        &self,
        account: &Account,
        path: &str,
        key: Option<Uuid>,
        body: &Value,
    ) -> Result<Answer> {
        let mut request = self.request(Method::POST, path).bearer_auth(&account.token).json(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key.to_string());
        }
        send(request).await
    }

    pub async fn get(&self, account: &Account, path: &str) -> Result<Answer> {
        send(self.request(Method::GET, path).bearer_auth(&account.token)).await
    }

    pub async fn delete(&self, account: &Account, path: &str) -> Result<Answer> {
        send(self.request(Method::DELETE, path).bearer_auth(&account.token)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }
}

impl Answer {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body of a success.
    pub fn success(self) -> Result<Value> {
        ensure!(self.is_success(), "{} {}", self.status, self.body);
        Ok(self.body)
    }

    /// Who has signed up or in by this.
    pub fn account(&self, email: &str) -> Result<Account> {
        account(email.to_owned(), &self.body)
    }

    /// The stable reason of a refusal.
    pub fn reason(&self) -> &str {
        let details = self.body["details"].as_array().map(Vec::as_slice).unwrap_or_default();
        details.iter().find_map(|detail| detail["reason"].as_str()).unwrap_or_default()
    }
}

/// Nobody's so far.
pub fn new_email() -> String {
    format!("ada-{}@example.com", Uuid::now_v7().simple())
}

fn account(email: String, session: &Value) -> Result<Account> {
    let user_id = session["user"]["user_id"].as_str().context("no user_id")?.parse()?;
    let token = session["access_token"].as_str().context("no access_token")?.to_owned();
    Ok(Account { user_id, email, token })
}

async fn send(request: RequestBuilder) -> Result<Answer> {
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    let text = answer.text().await?;
    Ok(Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null) })
}
