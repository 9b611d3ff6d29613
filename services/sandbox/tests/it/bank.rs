//! A running sandbox, its client, and the client's door for webhooks.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use clap::Parser;
use runtime::Shutdown;
use sandbox::{app::App, config::Config};
use serde_json::{Value, json};
use testkit::TestDatabase;

pub const SECRET: &str = "whsec_test";

pub struct Bank {
    pub client: reqwest::Client,
    pub url: String,
    pub admin_url: String,
    pub database: TestDatabase,
    pub door: Door,
    shutdown: Shutdown,
}

impl Drop for Bank {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Takes webhooks, refusing as many first as it is told to.
#[derive(Clone, Default)]
pub struct Door {
    refuses: Arc<Mutex<u32>>,
    letters: Arc<Mutex<Vec<(String, String)>>>,
}

impl Door {
    pub fn refuse(&self, times: u32) {
        *self.refuses.lock().unwrap() = times;
    }

    /// Signatures and bodies so far.
    pub fn letters(&self) -> Vec<(String, String)> {
        self.letters.lock().unwrap().clone()
    }

    /// Bodies once there are this many.
    pub async fn bodies(&self, count: usize) -> Vec<Value> {
        testkit::eventually(&format!("{count} webhooks"), async || {
            let letters = self.letters();
            let body = |(_, body): &(String, String)| serde_json::from_str(body).unwrap();
            (letters.len() >= count).then(|| letters.iter().map(body).collect())
        })
        .await
    }
}

async fn receive(State(door): State<Door>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut refuses = door.refuses.lock().unwrap();
    if *refuses > 0 {
        *refuses -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let signature = headers["stoa-signature"].to_str().unwrap().to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    door.letters.lock().unwrap().push((signature, body));
    StatusCode::NO_CONTENT
}

impl Bank {
    pub async fn open() -> Self {
        Self::with(&[]).await
    }

    /// With further settings, for example `--webhook-duplicates=1`.
    pub async fn with(settings: &[&str]) -> Self {
        let (door, shutdown) = (Door::default(), Shutdown::new());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hook = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(receive)).with_state(door.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

        let database = testkit::database(&[]).await;
        let mut args = vec![
            "sandbox".to_owned(),
            "--http-addr=127.0.0.1:0".to_owned(),
            "--admin-addr=127.0.0.1:0".to_owned(),
            format!("--database-url={}", database.url),
            "--database-max-connections=4".to_owned(),
            "--api-key=sk_test".to_owned(),
            format!("--webhook-url={hook}"),
            format!("--webhook-secret={SECRET}"),
        ];
        args.extend(settings.iter().map(ToString::to_string));
        let app =
            App::build(Config::parse_from(args), testkit::metrics()).await.expect("it starts");
        let url = format!("http://{}", app.http_addr().unwrap());
        let admin_url = format!("http://{}", app.admin_addr().unwrap());
        let stop = shutdown.clone();
        tokio::spawn(async move { app.run(stop).await.expect("it runs") });
        Self { client: reqwest::Client::new(), url, admin_url, database, door, shutdown }
    }

    pub async fn post(&self, path: &str, key: &str, body: Value) -> (u16, Value) {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth("sk_test");
        let answer = request.header("idempotency-key", key).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth("sk_test");
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Charges EUR 10.00 and answers the charge's path.
    pub async fn charge(&self, token: &str, key: &str) -> String {
        let (status, charge) = self.post("/v1/charges", key, charge(token, "ref")).await;
        assert_eq!(status, 201, "{charge}");
        format!("/v1/charges/{}", charge["id"].as_str().unwrap())
    }

    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.database.pool).await.unwrap()
    }
}

pub fn charge(token: &str, reference: &str) -> Value {
    json!({ "amount_minor": 1000, "currency": "EUR", "token": token, "reference": reference })
}
