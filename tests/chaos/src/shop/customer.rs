//! One customer: fills a cart, orders, insists on an answer, sometimes cancels.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::json;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::client::{Account, Answer, Edge};
use super::notes::{Heard, Notes, Purchase, Told};

/// What is paid with, as often as it stands here.
const TOKENS: [&str; 10] = [
    "tok_visa",
    "tok_visa",
    "tok_visa",
    "tok_visa",
    "tok_mastercard",
    "tok_mastercard",
    "tok_mastercard",
    "tok_mastercard",
    "tok_slow",
    "tok_declined",
];
const IMPATIENT: f64 = 0.1;
const REMORSEFUL: f64 = 0.15;

pub struct Customer {
    pub edge: Edge,
    pub account: Account,
    pub products: Arc<[Uuid]>,
    pub notes: Arc<Notes>,
    pub rng: StdRng,
    /// Begins nothing any more.
    pub closing: CancellationToken,
    /// Insists on no answer any more.
    pub insisting: CancellationToken,
}

impl Customer {
    /// Shops until the shop closes.
    pub async fn shop(mut self) -> Vec<Purchase> {
        let mut purchases = Vec::new();
        while !self.closing.is_cancelled() {
            if self.fill_cart().await.unwrap_or(false) {
                let purchase = self.buy().await;
                purchases.push(purchase);
            }
            self.pause(20..150).await;
        }
        purchases
    }

    /// False when something went wrong: what is in the cart then is not known.
    async fn fill_cart(&mut self) -> Result<bool> {
        let emptied = self.edge.delete(&self.account, "/v1/cart").await;
        if !self.noted(&emptied).await {
            return Ok(false);
        }
        for _ in 0..self.rng.random_range(1..=2) {
            let Some(product) = self.products.choose(&mut self.rng) else { return Ok(false) };
            let quantity = self.rng.random_range(1..=2);
            let body = json!({"product_id": product.to_string(), "quantity": quantity});
            let added = self.edge.post(&self.account, "/v1/cart/items", None, &body).await;
            if !self.noted(&added).await {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn buy(&mut self) -> Purchase {
        let mut purchase = Purchase {
            user_id: self.account.user_id,
            key: Uuid::now_v7(),
            payment_token: TOKENS.choose(&mut self.rng).copied().unwrap_or("tok_visa"),
            told: Vec::new(),
            refused: None,
            cancel_asked: false,
            cancel_told: None,
        };
        while purchase.told.is_empty() && purchase.refused.is_none() && !self.gives_up() {
            // Some click twice.
            let twice = self.rng.random_bool(IMPATIENT);
            let answers = if twice {
                let (one, other) = tokio::join!(self.order(&purchase), self.order(&purchase));
                vec![one, other]
            } else {
                vec![self.order(&purchase).await]
            };
            for answer in answers {
                self.hear(&mut purchase, answer).await;
            }
            if purchase.told.is_empty() {
                self.pause(50..300).await;
            }
        }
        if !purchase.told.is_empty() {
            self.notes.acknowledged();
        }
        let confirmed = purchase.told.iter().any(|told| told.state == "confirmed");
        if confirmed && self.rng.random_bool(REMORSEFUL) {
            self.cancel(&mut purchase).await;
        }
        purchase
    }

    async fn order(&self, purchase: &Purchase) -> Result<Answer> {
        let body = json!({
            "payment_token": purchase.payment_token,
            "shipping_address": {
                "recipient": "Ada Lovelace",
                "street": "12 St James's Square",
                "city": "London",
                "postal_code": "SW1Y 4JH",
                "country_code": "GB"
            }
        });
        self.edge.post(&self.account, "/v1/orders", Some(purchase.key), &body).await
    }

    async fn hear(&mut self, purchase: &mut Purchase, answer: Result<Answer>) {
        let definite = self.noted(&answer).await;
        let Ok(answer) = answer else { return };
        if answer.is_success() {
            purchase.told.extend(Told::read(&answer.body));
        } else if definite {
            purchase.refused = Some(format!("{} {}", answer.status, answer.reason()));
        }
    }

    async fn cancel(&mut self, purchase: &mut Purchase) {
        let Some(told) = purchase.told.first() else { return };
        let path = format!("/v1/orders/{}:cancel", told.order_id);
        purchase.cancel_asked = true;
        while purchase.cancel_told.is_none() && !self.gives_up() {
            let answer = self.edge.post(&self.account, &path, None, &json!({})).await;
            let definite = self.noted(&answer).await;
            if let Ok(answer) = answer {
                if answer.is_success() {
                    purchase.cancel_told = Told::read(&answer.body);
                } else if definite && answer.status != 409 {
                    return;
                }
            }
            self.pause(50..300).await;
        }
    }

    /// Counts a request. True when its answer is definite: asking again would not
    /// change it.
    async fn noted(&mut self, answer: &Result<Answer>) -> bool {
        let heard = Heard::from(answer);
        let definite = heard.is_definite();
        self.notes.heard(heard);
        if answer.as_ref().is_ok_and(|answer| answer.status == 401) {
            // The next try is made with the old token if this comes to nothing.
            let _ = self.edge.sign_in_again(&mut self.account).await;
        }
        definite
    }

    fn gives_up(&self) -> bool {
        self.insisting.is_cancelled()
    }

    async fn pause(&mut self, milliseconds: std::ops::Range<u64>) {
        let pause = Duration::from_millis(self.rng.random_range(milliseconds));
        self.insisting.run_until_cancelled(sleep(pause)).await;
    }
}
