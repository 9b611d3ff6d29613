//! Stripe, over its HTTP API: a charge of ours is a PaymentIntent of theirs, with
//! manual capture. <https://docs.stripe.com/api/payment_intents>

mod wire;

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::config::StripeConfig;
use crate::core::Error;
use crate::core::ports::{
    Books, Listing, Page, Provider, ProviderError, Webhook, WebhookReader, Window,
};
use crate::domain::{Charge, Payment, Refund, RefundState, Token};
use crate::infrastructure::http::{self, SetupError, secret};
use crate::infrastructure::signature;
use wire::books::{List, Refunded};
use wire::{Failed, Intent};

/// The provider's name, as in webhook paths and in the database.
pub const NAME: &str = "stripe";

/// The shapes of [`wire`] are of this version, whatever the account's own is.
const API_VERSION: &str = "2024-06-20";

/// Idempotency keys are removed after 24 hours; an hour is for clocks that differ and
/// requests that are on their way. <https://docs.stripe.com/api/idempotent_requests>
const KEYS_ARE_KEPT: Duration = Duration::from_secs(23 * 3_600);

/// The longest page there is.
const PAGE: &str = "100";

/// A client of Stripe.
pub struct Stripe {
    client: Client,
    base: Url,
    api_key: SecretString,
    webhook_secret: SecretString,
}

type Form<'a> = &'a [(&'a str, &'a str)];

impl Stripe {
    pub fn new(config: &StripeConfig) -> Result<Self, SetupError> {
        Ok(Self {
            client: http::client(Duration::from_millis(config.stripe_timeout_millis))?,
            base: config.stripe_url.parse().map_err(|_| SetupError::Url("STRIPE_URL"))?,
            api_key: secret(&config.stripe_api_key, "STRIPE_API_KEY")?,
            webhook_secret: secret(&config.stripe_webhook_secret, "STRIPE_WEBHOOK_SECRET")?,
        })
    }

    /// A change: the key makes it safe to ask for again, for a day.
    async fn post(
        &self,
        operation: &'static str,
        path: &[&str],
        key: String,
        form: Form<'_>,
    ) -> Result<(StatusCode, Vec<u8>), ProviderError> {
        let request = self.client.post(self.url(path)?).header("idempotency-key", key).form(form);
        self.send(operation, request).await
    }

    async fn send(
        &self,
        operation: &'static str,
        request: RequestBuilder,
    ) -> Result<(StatusCode, Vec<u8>), ProviderError> {
        let request = request.header("stripe-version", API_VERSION);
        http::send(operation, request.bearer_auth(self.api_key.expose_secret())).await
    }

    async fn list<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        query: Form<'_>,
    ) -> Result<T, ProviderError> {
        let request = self.client.get(self.url(path)?).query(query);
        let (status, body) = self.send(operation, request).await?;
        if !status.is_success() {
            return Err(Failed::of(&body).unknown(operation, status));
        }
        http::parse(&body)
    }

    /// Segments are escaped: an id is whatever the provider told.
    fn url(&self, path: &[&str]) -> Result<Url, ProviderError> {
        let mut url = self.base.clone();
        let unusable = |()| ProviderError::Unknown("STRIPE_URL cannot be a base".to_owned());
        url.path_segments_mut().map_err(unusable)?.pop_if_empty().push("v1").extend(path);
        Ok(url)
    }

    /// A step of an intent that we know.
    async fn step(
        &self,
        operation: &'static str,
        path: &[&str],
        key: String,
        form: Form<'_>,
    ) -> Result<Charge, ProviderError> {
        let (status, body) = self.post(operation, path, key, form).await?;
        if status.is_success() {
            return http::parse::<Intent>(&body)?.charge();
        }
        Err(Failed::of(&body).of_step(operation, status))
    }
}

#[async_trait]
impl Provider for Stripe {
    async fn authorize(&self, payment: &Payment, token: &Token) -> Result<Charge, ProviderError> {
        let (id, order) = (payment.id.to_string(), payment.order_id.to_string());
        let amount = payment.amount.minor().to_string();
        let currency = payment.amount.currency().code().to_lowercase();
        let form = [
            ("amount", amount.as_str()),
            ("currency", &currency),
            ("payment_method", token.expose()),
            ("confirm", "true"),
            ("capture_method", "manual"),
            // There is nobody to redirect, and nobody who could confirm later.
            ("payment_method_types[]", "card"),
            ("error_on_requires_action", "true"),
            ("metadata[payment_id]", &id),
            ("metadata[order_id]", &order),
            ("expand[]", "latest_charge"),
        ];
        let key = format!("{id}:authorize");
        let (status, body) = self.post("authorize", &["payment_intents"], key, &form).await?;
        if status.is_success() {
            return http::parse::<Intent>(&body)?.charge();
        }
        Err(Failed::of(&body).of_authorization(status))
    }

    async fn capture(&self, payment_id: Uuid, charge_id: &str) -> Result<Charge, ProviderError> {
        let key = format!("{payment_id}:capture:{charge_id}");
        let form = [("expand[]", "latest_charge")];
        self.step("capture", &["payment_intents", charge_id, "capture"], key, &form).await
    }

    async fn void(&self, payment_id: Uuid, charge_id: &str) -> Result<Charge, ProviderError> {
        let key = format!("{payment_id}:void:{charge_id}");
        self.step("void", &["payment_intents", charge_id, "cancel"], key, &[]).await
    }

    async fn refund(&self, refund: &Refund, charge_id: &str) -> Result<(), ProviderError> {
        let (amount, id) = (refund.amount.minor().to_string(), refund.id.to_string());
        let form = [
            ("payment_intent", charge_id),
            ("amount", amount.as_str()),
            ("metadata[refund_id]", &id),
        ];
        let key = format!("{}:refund:{id}", refund.payment_id);
        let (status, body) = self.post("refund", &["refunds"], key, &form).await?;
        if status.is_success() {
            return http::parse::<Refunded>(&body)?.accepted();
        }
        Err(Failed::of(&body).of_step("refund", status))
    }

    /// What Stripe's search finds is up to a minute old, so a known intent is asked for
    /// by its id; what the search does not find yet is looked up again later.
    async fn find(&self, payment: &Payment) -> Result<Option<Charge>, ProviderError> {
        if let Some(intent_id) = &payment.charge_id {
            let query = [("expand[]", "latest_charge")];
            let request = self.client.get(self.url(&["payment_intents", intent_id])?).query(&query);
            let (status, body) = self.send("find", request).await?;
            return match status {
                StatusCode::NOT_FOUND => Ok(None),
                s if s.is_success() => http::parse::<Intent>(&body)?.charge().map(Some),
                _ => Err(Failed::of(&body).unknown("find", status)),
            };
        }
        let search = format!("metadata['payment_id']:'{}'", payment.id);
        let query = [("query", search.as_str()), ("expand[]", "data.latest_charge")];
        // The idempotency key lets there be one at most.
        let found: List<Intent> = self.list("find", &["payment_intents", "search"], &query).await?;
        found.data.into_iter().next().map(Intent::charge).transpose()
    }

    async fn find_refund(
        &self,
        refund: &Refund,
        charge_id: &str,
    ) -> Result<Option<RefundState>, ProviderError> {
        let query = [("payment_intent", charge_id), ("limit", PAGE)];
        let list: List<Refunded> = self.list("find_refund", &["refunds"], &query).await?;
        list.refund(refund.id)
    }

    fn remembers_keys_for(&self) -> Duration {
        KEYS_ARE_KEPT
    }
}

#[async_trait]
impl Books for Stripe {
    async fn page(
        &self,
        listing: Listing,
        window: Window,
        after: Option<&str>,
    ) -> Result<Page, ProviderError> {
        let start = window.start.unix_timestamp().to_string();
        let end = window.end.unix_timestamp().to_string();
        let mut query =
            vec![("created[gte]", start.as_str()), ("created[lt]", &end), ("limit", PAGE)];
        query.extend(after.map(|id| ("starting_after", id)));
        match listing {
            Listing::Made => {
                query.push(("expand[]", "data.latest_charge"));
                let list: List<Intent> = self.list("list", &["payment_intents"], &query).await?;
                Ok(list.page())
            }
            Listing::Refunded => {
                query.push(("expand[]", "data.payment_intent.latest_charge"));
                let list: List<Refunded> = self.list("list", &["refunds"], &query).await?;
                Ok(list.page())
            }
        }
    }
}

impl WebhookReader for Stripe {
    fn header(&self) -> &'static str {
        "stripe-signature"
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
