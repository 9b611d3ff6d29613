//! Requests to every method with a value of its own in every field that must not be
//! shown: as they should be, refused, broken, and misplaced.

use std::collections::BTreeSet;

use contract::{Constraints, Method, is_sensitive};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Value, json};

use super::mailbox::NOBODY;
use super::needles::Needles;
use crate::client::send;
use crate::dynamic::percent;
use crate::parity::CONTRACT;
use crate::parity::broken::put;
use crate::parity::call::{Caller, with_headers};
use crate::parity::world::{Situation, situation};
use crate::platform::{Platform, eventually};

pub struct Traffic<'a> {
    platform: &'a Platform,
    caller: Caller,
    pub needles: Needles,
    /// Full names of the fields that carried a value of their own.
    pub sent: BTreeSet<String>,
    /// What may be logged, and is.
    pub product: String,
}

/// The fields of a request, inner messages included, that must not be shown: the
/// dotted path and the field.
pub fn sensitive_fields(message: &MessageDescriptor) -> Vec<(String, FieldDescriptor)> {
    let mut found = Vec::new();
    for field in message.fields() {
        if is_sensitive(&field).unwrap() {
            found.push((field.full_name().to_owned(), field.clone()));
        }
        if let Kind::Message(inner) = field.kind()
            && inner.package_name().starts_with("stoa.")
        {
            found.extend(sensitive_fields(&inner));
        }
    }
    found
}

impl<'a> Traffic<'a> {
    pub fn new(platform: &'a Platform) -> Self {
        let caller = Caller::new(&platform.stack.edge_url());
        let (needles, sent) = (Needles::default(), BTreeSet::new());
        Self { platform, caller, needles, sent, product: String::new() }
    }

    /// A customer's whole way, with all that is said of the customer in it: what
    /// succeeds, what is refused for a reason of the business, and outages.
    pub async fn journey(&mut self) {
        let edge = self.platform.anonymous();
        let product = self.platform.admin.product(900, 50).await;
        edge.get(&format!("/v1/products/{product}")).await.ok();
        self.product = product.clone();
        let account = self.account("ada");
        let session = edge.post("/v1/auth/register", account.clone()).await.ok();
        edge.post("/v1/auth/register", account.clone()).await;
        let login = json!({"email": account["email"], "password": account["password"]});
        let second = edge.post("/v1/auth/login", login.clone()).await.ok();
        let wrong =
            json!({"email": account["email"], "password": self.needles.make("wrong password")});
        edge.post("/v1/auth/login", wrong).await;
        let refresh = json!({"refresh_token": second["refresh_token"]});
        let third = edge.post("/v1/auth/refresh", refresh.clone()).await.ok();
        edge.post("/v1/auth/refresh", refresh).await;
        edge.post("/v1/auth/logout", json!({"refresh_token": third["refresh_token"]})).await.ok();
        for session in [&session, &second, &third] {
            self.tokens(session);
        }
        let customer = edge.with_token(session["access_token"].as_str().unwrap());
        for token in ["tok_visa", "tok_declined", "tok_requires_action"] {
            self.needles.add("payment token", token);
            let item = json!({"product_id": product, "quantity": 1});
            customer.post("/v1/cart/items", item).await.ok();
            let order = json!({"payment_token": token, "shipping_address": self.address()});
            let key = self.needles.make("idempotency key");
            customer.post_with_key("/v1/orders", &key, order).await.ok();
        }
        self.unwelcome_mail().await;
        self.headers().await;
    }

    /// Mail that is refused with its address in the refusal.
    async fn unwelcome_mail(&mut self) {
        let account = self.account(NOBODY);
        let session = self.platform.anonymous().post("/v1/auth/register", account).await.ok();
        self.tokens(&session);
        let customer =
            self.platform.anonymous().with_token(session["access_token"].as_str().unwrap());
        eventually("the mail is given up", async || {
            let list = customer.get("/v1/notifications").await.ok();
            (list["notifications"][0]["email_state"] == "DELIVERY_STATE_FAILED").then_some(())
        })
        .await;
    }

    /// Credentials that are not what they should be.
    async fn headers(&mut self) {
        let edge = self.platform.anonymous();
        let secret = |needles: &mut Needles| needles.make("header");
        let token = secret(&mut self.needles);
        edge.with_token(&token).get("/v1/cart").await;
        let basic = secret(&mut self.needles);
        let request = edge.request(reqwest::Method::GET, "/v1/cart");
        send(request.basic_auth(&basic, Some(&basic))).await;
        let cookie = secret(&mut self.needles);
        let request = edge.request(reqwest::Method::GET, "/v1/products?page_size=1");
        send(request.header("cookie", format!("session={cookie}"))).await;
        let (signature, body) = (secret(&mut self.needles), secret(&mut self.needles));
        let request = edge.request(reqwest::Method::POST, "/v1/payments/webhooks/sandbox");
        let request = request.header("stoa-signature", format!("t=1,v1={signature}"));
        send(request.json(&json!({"id": "evt", "type": "x", "data": {"card": body}}))).await;
    }

    /// Every method: both ways, and over REST in every way that is wrong.
    pub async fn every_method(&mut self) {
        for (_, method) in CONTRACT.external().filter(|(_, m)| !m.descriptor.is_server_streaming())
        {
            let valid = situation(self.platform, method).await;
            if let Some(token) = &valid.token {
                self.needles.add("access token", token.rsplit('.').next().unwrap());
            }
            for over_rest in [false, true] {
                let request = self.marked(method, &valid.request, "");
                self.call(method, &valid, request, over_rest).await;
                for ending in ["\u{0}", &"x".repeat(5_000)] {
                    let request = self.marked(method, &valid.request, ending);
                    self.call(method, &valid, request, over_rest).await;
                }
            }
            self.unclear(method, &valid).await;
        }
    }

    async fn call(&mut self, method: &Method, valid: &Situation, request: Value, over_rest: bool) {
        let situation = Situation { request, ..valid.clone() };
        let key = self.needles.make("idempotency key");
        let answer = match over_rest {
            true => self.caller.rest(method, &situation, Some(&key)).await,
            false => self.caller.grpc(method, &situation, Some(&key)).await,
        };
        if let Ok(answer) = answer {
            self.tokens(&answer);
        }
    }

    /// Over REST: values in wrong places and in texts that nobody can read.
    async fn unclear(&mut self, method: &Method, valid: &Situation) {
        let request = self.marked(method, &valid.request, "");
        let built = self.caller.rest_request(method, &request).build().unwrap();
        let http = reqwest::Client::new();
        let query = percent(&self.needles.make("query"));
        let joint = if built.url().query().is_some() { '&' } else { '?' };
        for name in ["email", "password", "payment_token", "access_token", "user.display_name"] {
            let url = format!("{}{joint}{name}={query}", built.url());
            let request = http.request(built.method().clone(), url).json(&json!({}));
            send(with_headers(request, valid, None)).await;
        }
        let Some(body) = built.body().and_then(|body| body.as_bytes()) else { return };
        let text = String::from_utf8_lossy(body).into_owned();
        let odd = self.needles.make("unknown field");
        for (body, kind) in [
            (text[..text.len() - 1].to_owned(), "application/json"),
            (format!("{text}{text}"), "application/json"),
            (text.replacen('{', &format!("{{\"{odd}\":\"{odd}\","), 1), "application/json"),
            (text.replacen(':', &format!(":\"{odd}\" "), 1), "application/json"),
            (format!("[{text}]"), "application/json"),
            (text.clone(), "application/x-www-form-urlencoded"),
            (text.clone(), "application/grpc"),
            (text, "application/grpc-web-text"),
        ] {
            let request = http.request(built.method().clone(), built.url().clone());
            let request = request.header("content-type", kind).body(body);
            // What is no gRPC message is answered by no JSON.
            let _ = with_headers(request, valid, None).send().await;
        }
    }

    /// The request with a new value in every field that must not be shown.
    fn marked(&mut self, method: &Method, valid: &Value, ending: &str) -> Value {
        let mut request = valid.clone();
        self.mark(&method.descriptor.input(), &mut request, &mut Vec::new(), ending);
        request
    }

    fn mark(
        &mut self,
        message: &MessageDescriptor,
        request: &mut Value,
        way: &mut Vec<String>,
        ending: &str,
    ) {
        for field in message.fields() {
            way.push(field.name().to_owned());
            if is_sensitive(&field).unwrap() {
                let value = self.value_of(&field);
                put(request, way, Some(json!(format!("{value}{ending}"))));
            }
            if let Kind::Message(inner) = field.kind()
                && inner.package_name().starts_with("stoa.")
                && way.iter().try_fold(&*request, |value, name| value.get(name)).is_some()
            {
                self.mark(&inner, request, way, ending);
            }
            way.pop();
        }
    }

    /// Of the form that the field asks for.
    fn value_of(&mut self, field: &FieldDescriptor) -> String {
        let needle = self.needles.make(field.full_name());
        self.sent.insert(field.full_name().to_owned());
        let email = Constraints::of(field).unwrap().email || field.name() == "email";
        if email { format!("{needle}@example.com") } else { format!("z_{needle}") }
    }

    fn account(&mut self, name: &str) -> Value {
        let mut make = |owner| self.needles.make(owner);
        json!({
            "email": format!("{name}-{}@example.com", make("e-mail")),
            "password": make("password"),
            "display_name": format!("Ada {}", make("display name")),
        })
    }

    fn address(&mut self) -> Value {
        let mut make = |owner| self.needles.make(owner);
        json!({
            "recipient": make("recipient"),
            "street": make("street"),
            "city": make("city"),
            "postal_code": make("postal code"),
            "country_code": "GB",
        })
    }

    /// The part of an access token that makes it one, and the refresh token.
    fn tokens(&mut self, session: &Value) {
        if let Some(token) = session["access_token"].as_str() {
            self.needles.add("access token", token.rsplit('.').next().unwrap());
        }
        if let Some(token) = session["refresh_token"].as_str() {
            self.needles.add("refresh token", token);
        }
    }
}
