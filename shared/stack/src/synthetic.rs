//! The prober and its account: a customer who is none, and is marked so.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::layout::Layout;
use crate::options::Options;
use crate::pki::Pki;
use crate::probe::{Probe, client};
use crate::process::{Phase, Spec};
use crate::services::PASSED_ON;

/// Whose journeys the prober makes.
pub(crate) const EMAIL: &str = "prober@stoa.local";

pub(crate) fn password(layout: &Layout) -> Result<String> {
    layout.secret("prober")
}

/// Makes the prober's account, as whoever administrates the shop would, and marks it: what
/// it orders is not business.
pub(crate) async fn account(edge: &str, admin: (&str, String), layout: &Layout) -> Result<()> {
    let http = client()?;
    let post = |path: &str, body: Value| http.post(format!("{edge}{path}")).json(&body);
    let login = |email: &str, password: &str| {
        post("/v1/auth/login", json!({ "email": email, "password": password }))
    };
    let password = password(layout)?;
    let mut answer = send(&login(EMAIL, &password)).await?;
    if answer.0 == StatusCode::UNAUTHORIZED {
        let account = json!({ "email": EMAIL, "password": password, "display_name": "Prober" });
        answer = send(&post("/v1/auth/register", account)).await?;
    }
    let user = text(&good(answer)?["user"], "user_id")?;
    let session = good(send(&login(admin.0, &admin.1)).await?)?;
    let request = http
        .put(format!("{edge}/v1/users/{user}/roles"))
        .bearer_auth(text(&session, "access_token")?)
        .json(&json!({ "roles": ["synthetic"] }));
    good(send(&request).await?).map(drop)
}

/// Sends a request, patiently where the edge asks for patience.
async fn send(request: &RequestBuilder) -> Result<(StatusCode, Value)> {
    for attempt in 1_u64.. {
        let request = request.try_clone().context("a request with a stream")?;
        let response = request.send().await?;
        let status = response.status();
        let busy = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
        if attempt == 10 || !busy.contains(&status) {
            let body = response.text().await?;
            return Ok((status, serde_json::from_str(&body).unwrap_or(Value::String(body))));
        }
        tokio::time::sleep(Duration::from_millis(100 * attempt)).await;
    }
    unreachable!("the loop ends by returning")
}

fn good((status, body): (StatusCode, Value)) -> Result<Value> {
    if !status.is_success() {
        bail!("the edge answered {status}: {body}");
    }
    Ok(body)
}

fn text(body: &Value, field: &str) -> Result<String> {
    Ok(body[field].as_str().with_context(|| format!("no {field} in the answer"))?.to_owned())
}

/// Starts the prober; ready when it measures.
pub(crate) async fn start(fleet: Fleet, options: Options) -> Result<()> {
    let (ports, layout) = (&options.ports, &fleet.layout);
    let admin = format!("127.0.0.1:{}", ports.admin("prober"));
    let authority = Pki::of(layout).authority();
    let mut spec = Spec::new("prober", Phase::Edge, options.bin_dir.join("prober"))
        .env("ADMIN_ADDR", &admin)
        // By the way that customers come.
        .env("EDGE_URL", format!("https://localhost:{}", ports.edge_tls))
        .env("EDGE_CA", authority)
        .env("PROBE_EMAIL", EMAIL)
        .env("PROBE_PASSWORD", password(layout)?);
    for variable in PASSED_ON {
        if let Some(value) = std::env::var_os(variable) {
            spec = spec.env(variable, value);
        }
    }
    for (_, variable, value) in options.settings.iter().filter(|(of, ..)| of == "prober") {
        spec = spec.env(variable, value);
    }
    let ready = Probe::Http(client()?, format!("http://{admin}/readyz"));
    fleet.spawn(spec)?;
    fleet.ready("prober", &ready, Duration::from_secs(30)).await
}
