//! The sandbox payment provider, over HTTP.

mod wire;

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::config::SandboxConfig;
use crate::core::Error;
use crate::core::ports::{
    Books, Entry, Listing, Page, Provider, ProviderError, Webhook, WebhookReader, Window,
};
use crate::domain::{Charge, Payment, Refund, RefundState, Token};
use crate::infrastructure::http::{self, SetupError, secret};
use crate::infrastructure::signature;
use wire::{WireCharge, WireError, WireList, WireRefund};

/// The provider's name, as in webhook paths and in the database.
pub const NAME: &str = "sandbox";

/// It remembers idempotency keys for a day at least; an hour is for clocks that differ
/// and requests that are on their way.
const KEYS_ARE_KEPT: Duration = Duration::from_secs(23 * 3_600);

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

    async fn list<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<WireList<T>, ProviderError> {
        let request = self.client.get(self.url(path)?).query(query);
        let (status, body) = self.send(operation, request).await?;
        if status != StatusCode::OK {
            return Err(WireError::of(&body).unknown(operation, status));
        }
        http::parse(&body)
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
        let body = json!({ "amount_minor": refund.amount.minor(), "reference": refund.id });
        let (status, body) = self.post("refund", &path, key, body).await?;
        wire::changed("refund", status, &body).map(drop)
    }

    async fn find(&self, payment: &Payment) -> Result<Option<Charge>, ProviderError> {
        if let Some(charge_id) = &payment.charge_id {
            let url = self.url(&format!("/v1/charges/{charge_id}"))?;
            let (status, body) = self.send("find", self.client.get(url)).await?;
            return match status {
                StatusCode::OK => http::parse::<WireCharge>(&body).map(Charge::from).map(Some),
                StatusCode::NOT_FOUND if WireError::of(&body).code == "not_found" => Ok(None),
                _ => Err(WireError::of(&body).unknown("find", status)),
            };
        }
        // The idempotency key lets there be one at most.
        let query = [("reference", payment.id.to_string())];
        let found: WireList<WireCharge> = self.list("find", "/v1/charges", &query).await?;
        Ok(found.data.into_iter().next().map(Charge::from))
    }

    async fn find_refund(
        &self,
        refund: &Refund,
        _charge_id: &str,
    ) -> Result<Option<RefundState>, ProviderError> {
        let query = [("reference", refund.id.to_string())];
        let found: WireList<WireRefund> = self.list("find_refund", "/v1/refunds", &query).await?;
        // It makes a refund or refuses; it has none that fails later.
        Ok(found.data.first().map(|_| RefundState::Succeeded))
    }

    fn remembers_keys_for(&self) -> Duration {
        KEYS_ARE_KEPT
    }
}

#[async_trait]
impl Books for Sandbox {
    async fn page(
        &self,
        listing: Listing,
        window: Window,
        after: Option<&str>,
    ) -> Result<Page, ProviderError> {
        let mut query = vec![
            ("created_gte", window.start.unix_timestamp().to_string()),
            ("created_lt", window.end.unix_timestamp().to_string()),
            ("limit", "100".to_owned()),
        ];
        query.extend(after.map(|id| ("after", id.to_owned())));
        match listing {
            Listing::Made => {
                let list: WireList<WireCharge> = self.list("list", "/v1/charges", &query).await?;
                Ok(list.page(Entry::from))
            }
            Listing::Refunded => {
                let list: WireList<WireRefund> = self.list("list", "/v1/refunds", &query).await?;
                Ok(list.page(|refund| Entry::from(refund.charge)))
            }
        }
    }
}

impl WebhookReader for Sandbox {
    fn header(&self) -> &'static str {
        "stoa-signature"
    }

    fn check(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: OffsetDateTime,
    ) -> Result<(), Error> {
        signature::check(&self.webhook_secret, signature, body, now)
    }

    fn parse(&self, body: &[u8]) -> Result<Webhook, Error> {
        wire::webhook(body)
    }
}
