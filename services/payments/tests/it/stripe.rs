//! The adapter for Stripe: what it asks, what it makes of the answers, and whose
//! webhooks it believes.

use axum::http::Method;
use hmac::{Hmac, KeyInit, Mac};
use payments::config::{ProviderKind, StripeConfig};
use proto::google::api::HttpBody;
use proto::payments::v1::checkout_payment_service_client::CheckoutPaymentServiceClient;
use proto::payments::v1::payment_service_client::PaymentServiceClient;
use proto::payments::v1::{
    CaptureRequest, Payment, PaymentState, ReceiveWebhookRequest, RefundPaymentRequest,
    ReverseRequest,
};
use runtime::Shutdown;
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::{Platform, TestDatabase, bearer, reason, with_key};
use time::OffsetDateTime;
use tonic::{Code, Request, Status};
use uuid::Uuid;

use crate::stripe_double::{Asked, StripeDouble};
use crate::world::{Options, Order, config, eur, start_payments};

const SECRET: &str = "whsec_of_stripe";

struct Shop {
    platform: Platform,
    _database: TestDatabase,
    stripe: StripeDouble,
    checkout: CheckoutPaymentServiceClient<grpc::MeshChannel>,
    people: PaymentServiceClient<grpc::MeshChannel>,
    shutdown: Shutdown,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Shop {
    async fn open() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let shutdown = Shutdown::new();
        let platform = Platform::start().await;
        let database = testkit::database(&[]).await;
        let stripe = StripeDouble::open().await;
        let mut config = config(&platform, &database, stripe.addr, options).await;
        config.payment_provider = ProviderKind::Stripe;
        config.stripe = StripeConfig {
            stripe_url: format!("http://{}", stripe.addr),
            stripe_api_key: Some("rk_test".into()),
            stripe_webhook_secret: Some(SECRET.into()),
            stripe_timeout_millis: options.patience_millis,
        };
        let addr = start_payments(config, &shutdown).await;
        let checkout = platform.channel("orders", addr, "payments");
        let people = PaymentServiceClient::new(platform.channel("edge", addr, "payments"));
        let checkout = CheckoutPaymentServiceClient::new(checkout);
        Self { platform, _database: database, stripe, checkout, people, shutdown }
    }

    async fn authorize(&self, order: &Order) -> Result<Payment, Status> {
        Ok(self.checkout.clone().authorize(order.request()).await?.into_inner())
    }

    async fn capture(&self, order: &Order) -> Result<Payment, Status> {
        let request = CaptureRequest { order_id: order.order_id.to_string() };
        Ok(self.checkout.clone().capture(request).await?.into_inner())
    }

    async fn reverse(&self, order: &Order) -> Payment {
        let request = ReverseRequest { order_id: order.order_id.to_string() };
        let answer = self.checkout.clone().reverse(request).await.expect("reversed");
        answer.into_inner().payment.expect("there is a payment")
    }

    /// Hands in what Stripe would send, signed as Stripe signs.
    async fn told(&self, event: &Value, secret: &str) -> Result<(), Status> {
        let body = event.to_string().into_bytes();
        let seconds = OffsetDateTime::now_utc().unix_timestamp();
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{seconds}.").as_bytes());
        mac.update(&body);
        let signature = format!("t={seconds},v1={}", hex::encode(mac.finalize().into_bytes()));
        let payload = HttpBody {
            content_type: "application/json".to_owned(),
            data: body,
            extensions: Vec::new(),
        };
        let mut request = Request::new(ReceiveWebhookRequest {
            provider: "stripe".to_owned(),
            payload: Some(payload),
        });
        request.metadata_mut().insert("stripe-signature", signature.parse().unwrap());
        self.people.clone().receive_webhook(request).await.map(drop)
    }

    async fn state(&self, payment: &Payment) -> PaymentState {
        let manager = self.platform.token(Uuid::now_v7(), &["manager"]);
        let request =
            proto::payments::v1::GetPaymentRequest { payment_id: payment.payment_id.clone() };
        let answer = self.people.clone().get_payment(bearer(request, &manager)).await;
        answer.expect("the payment").into_inner().state()
    }
}

fn event(kind: &str, object: &Value) -> Value {
    json!({"id": format!("evt_{}", Uuid::now_v7().simple()), "object": "event", "type": kind,
        "data": {"object": object}})
}

#[tokio::test]
async fn an_authorization_is_a_confirmed_intent_with_manual_capture() {
    let shop = Shop::open().await;
    let order = Order::by("pm_card_visa");
    let payment = shop.authorize(&order).await.expect("authorized");
    let asked = shop.stripe.asked_at("/v1/payment_intents");
    assert_eq!(asked.header("authorization"), "Bearer rk_test");
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(asked.header("idempotency-key"), format!("{}:authorize", payment.payment_id));
    assert_eq!(asked.header("stripe-version"), "2024-06-20");
    for (name, value) in [
        ("amount", "1000"),
        ("currency", "eur"),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
        ("capture_method", "manual"),
        ("error_on_requires_action", "true"),
        ("metadata[payment_id]", payment.payment_id.as_str()),
        ("metadata[order_id]", &order.order_id.to_string()),
    ] {
        assert_eq!(asked.field(name), value, "{name}");
    }
    assert_eq!(payment.state(), PaymentState::Authorized);
    assert_eq!(payment.provider, "stripe");
}

#[tokio::test]
async fn money_is_taken_and_given_back_in_parts() {
    let shop = Shop::open().await;
    let order = Order::by("pm_card_visa");
    shop.authorize(&order).await.expect("authorized");
    let payment = shop.capture(&order).await.expect("captured");
    assert_eq!(payment.state(), PaymentState::Captured);
    let asked = shop.stripe.asked_at("/capture");
    assert_eq!(asked.header("idempotency-key"), format!("{}:capture:pi_1", payment.payment_id));
    let manager = shop.platform.token(Uuid::now_v7(), &["manager"]);
    let request = RefundPaymentRequest {
        payment_id: payment.payment_id.clone(),
        amount: Some(eur(300)),
        reason: "one was broken".to_owned(),
    };
    let request = with_key(bearer(request, &manager), "refund-1");
    let refunded = shop.people.clone().refund_payment(request).await.expect("refunded");
    assert_eq!(refunded.into_inner().state(), PaymentState::PartiallyRefunded);
    let asked = shop.stripe.asked_at("/v1/refunds");
    assert_eq!((asked.field("payment_intent"), asked.field("amount")), ("pi_1", "300"));
    assert!(asked.header("idempotency-key").starts_with(&payment.payment_id));
    assert_eq!(shop.reverse(&order).await.state(), PaymentState::Refunded);
    assert_eq!(shop.stripe.asked_at("/v1/refunds").field("amount"), "700", "the rest");
}

#[tokio::test]
async fn money_that_was_not_taken_is_freed() {
    let shop = Shop::open().await;
    let order = Order::by("pm_card_visa");
    shop.authorize(&order).await.expect("authorized");
    assert_eq!(shop.reverse(&order).await.state(), PaymentState::Voided);
    assert_eq!(shop.stripe.intent()["status"], "canceled");
    let late = shop.capture(&order).await.expect_err("it is voided");
    assert_eq!(reason(&late), "PAYMENT_NOT_CAPTURABLE");
}

#[tokio::test]
async fn a_refused_card_an_unknown_token_and_a_bank_that_asks_are_final() {
    let shop = Shop::open().await;
    for (token, expected) in [
        ("pm_declined", "PAYMENT_DECLINED"),
        ("pm_unknown", "PAYMENT_DECLINED"),
        ("pm_asks", "PAYMENT_ACTION_REQUIRED"),
    ] {
        let order = Order::by(token);
        for _ in 0..2 {
            let refused = shop.authorize(&order).await.expect_err("refused");
            let found = (refused.code(), reason(&refused));
            assert_eq!(found, (Code::FailedPrecondition, expected.to_owned()), "{token}");
        }
    }
    let creates = |a: &&Asked| a.method == Method::POST && a.path.ends_with("intents");
    let creations = shop.stripe.asked().iter().filter(creates).count();
    assert_eq!(creations, 3, "a final answer is not asked for again");
}

#[tokio::test]
async fn a_lost_answer_leads_to_one_charge_that_is_found_again() {
    let options = Options { patience_millis: 500, sweep_after_millis: 100, ..Options::default() };
    let shop = Shop::with(options).await;
    let order = Order::by("pm_card_visa");
    shop.stripe.lose_answers(true);
    let unknown = shop.authorize(&order).await.expect_err("nobody knows");
    assert_eq!(reason(&unknown), "PROVIDER_UNAVAILABLE");
    shop.stripe.lose_answers(false);
    let payment =
        testkit::eventually("the payment is found", async || shop.authorize(&order).await.ok())
            .await;
    assert_eq!(payment.state(), PaymentState::Authorized);
    assert_eq!(shop.stripe.intent()["status"], "requires_capture", "one intent");
}

#[tokio::test]
async fn webhooks_signed_by_stripe_are_believed_and_others_are_not() {
    let shop = Shop::open().await;
    let order = Order::by("pm_card_visa");
    let payment = shop.authorize(&order).await.expect("authorized");
    let mut intent = shop.stripe.intent();
    intent["status"] = json!("succeeded");
    intent["amount_received"] = json!(1_000);
    intent["latest_charge"] = json!("ch_pi_1");
    let captured = event("payment_intent.succeeded", &intent);
    let forged = shop.told(&captured, "whsec_of_another").await.expect_err("forged");
    assert_eq!(reason(&forged), "WEBHOOK_SIGNATURE_INVALID");
    assert_eq!(shop.state(&payment).await, PaymentState::Authorized);
    shop.told(&captured, SECRET).await.expect("believed");
    shop.told(&captured, SECRET).await.expect("twice is once");
    assert_eq!(shop.state(&payment).await, PaymentState::Captured);
}

#[tokio::test]
async fn events_that_say_nothing_of_our_payments_are_taken_and_ignored() {
    let shop = Shop::open().await;
    for event in [
        event("customer.created", &json!({"id": "cus_1"})),
        event(
            "payment_intent.succeeded",
            &json!({"id": "pi_9", "amount": 1, "currency": "eur",
            "status": "succeeded", "metadata": {}}),
        ),
        event(
            "payment_intent.canceled",
            &json!({"id": "pi_9", "amount": 1, "currency": "xts",
            "status": "processing"}),
        ),
    ] {
        shop.told(&event, SECRET).await.expect("taken");
    }
    let broken = json!({"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": {}}});
    let refused = shop.told(&broken, SECRET).await.expect_err("malformed");
    assert_eq!(reason(&refused), "WEBHOOK_MALFORMED");
}
