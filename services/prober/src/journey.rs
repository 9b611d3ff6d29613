//! A customer's journey, step by step.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tracing::Instrument as _;

use crate::figures;
use crate::shop::Shop;

/// How often something is looked at that takes a while.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// A part of the journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    SignIn,
    Browse,
    Cart,
    Order,
    Confirm,
    Notify,
    Cancel,
    MoneyBack,
    SignOut,
}

impl Step {
    /// In their order.
    pub const ALL: [Self; 9] = [
        Self::SignIn,
        Self::Browse,
        Self::Cart,
        Self::Order,
        Self::Confirm,
        Self::Notify,
        Self::Cancel,
        Self::MoneyBack,
        Self::SignOut,
    ];

    /// As metrics and logs have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Browse => "browse",
            Self::Cart => "cart",
            Self::Order => "order",
            Self::Confirm => "confirm",
            Self::Notify => "notify",
            Self::Cancel => "cancel",
            Self::MoneyBack => "money_back",
            Self::SignOut => "sign_out",
        }
    }
}

/// How far a journey goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Depth {
    /// To an order that is paid, and the money back.
    #[default]
    Order,
    /// To a cart that is filled: nothing is ordered or paid.
    Cart,
}

impl Depth {
    /// Whether the step is part of the journey.
    pub fn has(self, step: Step) -> bool {
        let before = [Step::SignIn, Step::Browse, Step::Cart, Step::SignOut];
        self == Self::Order || before.contains(&step)
    }
}

/// How a journey went.
pub struct Journey {
    /// The step that failed and why.
    pub outcome: Result<()>,
    pub took: Duration,
}

/// Who travels, and where.
pub struct Traveller {
    pub shop: Shop,
    pub email: String,
    pub password: SecretString,
    pub payment_token: SecretString,
    /// What is searched for.
    pub query: String,
    pub depth: Depth,
    /// The longest a step may take.
    pub patience: Duration,
}

impl Traveller {
    /// Makes the journey once, in a trace of its own, and logs how it went.
    pub async fn travel(&self) -> Journey {
        let began = Instant::now();
        let span = tracing::info_span!("journey");
        async {
            let outcome = self.steps().await;
            let took = began.elapsed();
            match &outcome {
                Ok(()) => tracing::info!(took_ms = took.as_millis(), "the journey worked"),
                Err(error) => tracing::error!(error = format!("{error:#}"), "the journey failed"),
            }
            Journey { outcome, took }
        }
        .instrument(span)
        .await
    }

    async fn steps(&self) -> Result<()> {
        let session = self.step(Step::SignIn, self.sign_in()).await?;
        let token = text(&session, "access_token")?;
        let product = self.step(Step::Browse, self.browse(&token)).await?;
        self.step(Step::Cart, self.fill_cart(&token, &product)).await?;
        if self.depth == Depth::Order {
            self.buy(&token).await?;
        }
        let refresh = json!({ "refresh_token": text(&session, "refresh_token")? });
        self.step(Step::SignOut, self.shop.post("/v1/auth/logout", refresh)).await?;
        Ok(())
    }

    /// Orders what is in the cart, and gives it back.
    async fn buy(&self, token: &str) -> Result<()> {
        let order = self.step(Step::Order, self.order(token)).await?;
        let order = text(&order, "order_id")?;
        let confirmed =
            self.step(Step::Confirm, self.reaches(token, &order, "ORDER_STATE_CONFIRMED")).await?;
        let payment = text(&confirmed, "payment_id")?;
        self.step(Step::Notify, self.told_of(token, &order)).await?;
        self.step(Step::Cancel, self.cancel(token, &order)).await?;
        self.step(Step::MoneyBack, self.money_back(token, &payment)).await?;
        Ok(())
    }

    /// Does a step within the time that a customer would give it, and measures it.
    async fn step<T>(&self, step: Step, work: impl Future<Output = Result<T>>) -> Result<T> {
        let began = Instant::now();
        let late = |_| Err(anyhow!("not done after {} s", self.patience.as_secs()));
        let result = tokio::time::timeout(self.patience, work).await.unwrap_or_else(late);
        match &result {
            Ok(_) => figures::worked(step, began.elapsed()),
            Err(_) => figures::failed(step),
        }
        result.with_context(|| format!("{} failed", step.name()))
    }

    async fn sign_in(&self) -> Result<Value> {
        let credentials = json!({ "email": self.email, "password": self.password.expose_secret() });
        self.shop.post("/v1/auth/login", credentials).await
    }

    /// The first product that can be bought.
    async fn browse(&self, token: &str) -> Result<String> {
        let query = match self.query.as_str() {
            "" => String::new(),
            words => format!("&q={}", encoded(words)),
        };
        let page = self.shop.get(token, &format!("/v1/products?page_size=20{query}")).await?;
        for product in page["products"].as_array().context("no products in the answer")? {
            let product = text(product, "product_id")?;
            let stock = self.shop.get(token, &format!("/v1/products/{product}/stock")).await?;
            let available = stock["available"].as_str().and_then(|text| text.parse::<i64>().ok());
            if available.is_some_and(|available| available > 0) {
                return Ok(product);
            }
        }
        Err(anyhow!("nothing on the first page is in stock"))
    }

    /// Clears away what an earlier journey left, and takes one piece.
    async fn fill_cart(&self, token: &str, product: &str) -> Result<()> {
        let orders = self.shop.get(token, "/v1/orders?page_size=20").await?;
        let left = orders["orders"].as_array().cloned().unwrap_or_default();
        for order in left.iter().filter(|order| order["state"] == "ORDER_STATE_CONFIRMED") {
            let path = format!("/v1/orders/{}:cancel", text(order, "order_id")?);
            if let Err(error) = self.shop.send(Method::POST, token, &path, json!({})).await {
                tracing::warn!(error = format!("{error:#}"), "an old order could not be cancelled");
            }
        }
        self.shop.delete(token, "/v1/cart").await?;
        let item = json!({ "product_id": product, "quantity": 1 });
        self.shop.send(Method::POST, token, "/v1/cart/items", item).await?;
        let cart = self.shop.get(token, "/v1/cart").await?;
        let items = cart["items"].as_array().map_or(0, Vec::len);
        if items == 1 { Ok(()) } else { Err(anyhow!("{items} things are in the cart")) }
    }

    async fn order(&self, token: &str) -> Result<Value> {
        let order = json!({
            "payment_token": self.payment_token.expose_secret(),
            "shipping_address": {
                "recipient": "Nobody",
                "street": "Nowhere 1",
                "city": "Nowhere",
                "postal_code": "00000",
                "country_code": "DE",
            },
        });
        self.shop.send(Method::POST, token, "/v1/orders", order).await
    }

    /// Waits until the order is in that state; the step's time limits it.
    async fn reaches(&self, token: &str, order: &str, state: &str) -> Result<Value> {
        loop {
            let found = self.shop.get(token, &format!("/v1/orders/{order}")).await?;
            let now = found["state"].as_str().unwrap_or_default();
            if now == state {
                return Ok(found);
            }
            if ["ORDER_STATE_FAILED", "ORDER_STATE_CANCELLED"].contains(&now) {
                let why = found["failure_reason"].as_str().unwrap_or_default();
                return Err(anyhow!("the order is {now}: {why}"));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn told_of(&self, token: &str, order: &str) -> Result<()> {
        loop {
            let page = self.shop.get(token, "/v1/notifications?page_size=20").await?;
            let told = page["notifications"].as_array().is_some_and(|all| {
                all.iter().any(|one| {
                    one["order_id"] == order && one["kind"] == "NOTIFICATION_KIND_ORDER_CONFIRMED"
                })
            });
            if told {
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// An order is cancelled when stock and money went back, not before.
    async fn cancel(&self, token: &str, order: &str) -> Result<()> {
        let path = format!("/v1/orders/{order}:cancel");
        self.shop.send(Method::POST, token, &path, json!({})).await?;
        self.reaches(token, order, "ORDER_STATE_CANCELLED").await.map(drop)
    }

    async fn money_back(&self, token: &str, payment: &str) -> Result<()> {
        let found = self.shop.get(token, &format!("/v1/payments/{payment}")).await?;
        let state = found["state"].as_str().unwrap_or_default();
        if ["PAYMENT_STATE_REFUNDED", "PAYMENT_STATE_VOIDED"].contains(&state) {
            return Ok(());
        }
        Err(anyhow!("the payment is {state}"))
    }
}

fn text(body: &Value, field: &str) -> Result<String> {
    let found = body[field].as_str().filter(|text| !text.is_empty());
    Ok(found.with_context(|| format!("no {field} in the answer"))?.to_owned())
}

/// As it stands in a query (RFC 3986, section 2.1).
fn encoded(words: &str) -> String {
    words.bytes().fold(String::new(), |done, byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => done + &char::from(byte).to_string(),
        other => format!("{done}%{other:02X}"),
    })
}
