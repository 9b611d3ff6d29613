//! The sandbox payment provider, over HTTP.

mod wire;

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::config::SandboxConfig;
use crate::core::Error;
use crate::core::ports::{Provider, ProviderError, Webhook, WebhookReader};
use crate::domain::{Charge, Payment, Refund, Token};
use crate::infrastructure::http::{self, SetupError, secret};
use crate::infrastructure::signature;
use wire::{WireCharge, WireCharges, WireError};

/// The provider's name, as in webhook paths and in the database.
pub const NAME: &str = "sandbox";

/// A client of the sandbox.
pub struct Sandbox {
    client: Client,
    base: Url,
    api_key: SecretString,
    webhook_secret: SecretString,
}

impl Sandbox {
    pub fn new(config: &SandboxConfig) -> Result<Self, SetupError> {
        let client = http::client(Duration::from_millis(config.sandbox_timeout_millis))?;
        let url = config.sandbox_url.as_deref().ok_or(SetupError::Missing("SANDBOX_URL"))?;
        let base = url.parse().map_err(|_| SetupError::Url("SANDBOX_URL"))?;
        Ok(Self {
            client,
            base,
            api_key: secret(&config.sandbox_api_key, "SANDBOX_API_KEY")?,
            webhook_secret: secret(&config.sandbox_webhook_secret, "SANDBOX_WEBHOOK_SECRET")?,
        })
    }

    /// A change: the key makes it safe to ask for again.
    async fn post(
        &self,
        operation: &'static str,
        path: &str,
        key: String,
        body: Value,
    ) -> Result<(StatusCode, Vec<u8>), ProviderError> {
        let url = self.url(path)?;
        let request = self.client.post(url).header("idempotency-key", key).json(&body);
        self.send(operation, request).await
    }

    async fn send(
        &self,
        operation: &'static str,
        request: RequestBuilder,
    ) -> Result<(StatusCode, Vec<u8>), ProviderError> {
        http::send(operation, request.bearer_auth(self.api_key.expose_secret())).await
    }

    fn url(&self, path: &str) -> Result<Url, ProviderError> {
        self.base.join(path).map_err(|e| ProviderError::Unknown(e.to_string()))
    }
}

#[async_trait]
impl Provider for Sandbox {
    async fn authorize(&self, payment: &Payment, token: &Token) -> Result<Charge, ProviderError> {
        let body = json!({
            "amount_minor": payment.amount.minor(),
            "currency": payment.amount.currency().code(),
            "token": token.expose(),
            "reference": payment.id,
        });
        let key = format!("{}:authorize", payment.id);
        let (status, body) = self.post("authorize", "/v1/charges", key, body).await?;
        if status.is_success() {
            return http::parse::<WireCharge>(&body).map(Charge::from);
        }
        let error = WireError::of(&body);
        match status {
            StatusCode::PAYMENT_REQUIRED => Err(error.declined()),
            StatusCode::BAD_REQUEST if error.code == "token_unknown" => Err(error.declined()),
            _ => Err(error.unknown("authorize", status)),
        }
    }

    async fn capture(&self, payment_id: Uuid, charge_id: &str) -> Result<Charge, ProviderError> {
        let path = format!("/v1/charges/{charge_id}/capture");
        let key = format!("{payment_id}:capture:{charge_id}");
        let (status, body) = self.post("capture", &path, key, json!({})).await?;
        wire::changed("capture", status, &body).map(Charge::from)
    }

    async fn void(&self, payment_id: Uuid, charge_id: &str) -> Result<Charge, ProviderError> {
        let path = format!("/v1/charges/{charge_id}/void");
        let key = format!("{payment_id}:void:{charge_id}");
        let (status, body) = self.post("void", &path, key, json!({})).await?;
        wire::changed("void", status, &body).map(Charge::from)
    }

    async fn refund(&self, refund: &Refund, charge_id: &str) -> Result<(), ProviderError> {
        let path = format!("/v1/charges/{charge_id}/refunds");
        let key = format!("{}:refund:{}", refund.payment_id, refund.id);
        let body = json!({ "amount_minor": refund.amount.minor() });
        let (status, body) = self.post("refund", &path, key, body).await?;
        wire::changed("refund", status, &body).map(drop)
    }

    async fn find_by_reference(&self, payment_id: Uuid) -> Result<Option<Charge>, ProviderError> {
        let mut url = self.url("/v1/charges")?;
        url.query_pairs_mut().append_pair("reference", &payment_id.to_string());
        let (status, body) = self.send("find", self.client.get(url)).await?;
        if status != StatusCode::OK {
            return Err(WireError::of(&body).unknown("find", status));
        }
        // The idempotency key lets there be one at most.
        let WireCharges { data } = http::parse(&body)?;
        Ok(data.into_iter().next().map(Charge::from))
    }
}

impl WebhookReader for Sandbox {
    fn header(&self) -> &'static str {
        "stoa-signature"
    }

    fn read(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: OffsetDateTime,
    ) -> Result<Webhook, Error> {
        signature::check(&self.webhook_secret, signature, body, now)?;
        wire::webhook(body)
    }
}
