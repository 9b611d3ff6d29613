//! What is known of a person can be had as a copy, and goes, in every store: from the
//! services beside identity while the person's token is still good, and from all of
//! them when the account is closed.

use e2e::mesh;
use proto::{cart, notifications, orders, payments};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::client::Client;
use crate::platform::{Platform, eventually, with_platform};

/// Every database but identity's.
const BESIDE: [&str; 6] =
    ["catalog", "inventory", "orders", "payments", "notifications", "sandbox"];
const PASSWORD: &str = "correct horse battery";

/// Somebody whose personal fields stand nowhere else.
struct Marked {
    client: Client,
    user: String,
    email: String,
    marks: Vec<String>,
}

impl Marked {
    async fn register(platform: &Platform) -> Self {
        let mark = |what: &str| {
            let unique = &Uuid::now_v7().simple().to_string()[22..];
            format!("zanzibar{what}{unique}")
        };
        let marks: Vec<_> =
            ["e", "n", "r", "s", "c", "p", "a", "l"].into_iter().map(mark).collect();
        let email = format!("{}@example.com", marks[0]);
        let body = json!({"email": email, "password": PASSWORD,
            "display_name": marks[1]});
        let anonymous = platform.anonymous();
        let session = anonymous.post("/v1/auth/register", body).await.ok();
        let client = anonymous.with_token(session["access_token"].as_str().unwrap());
        let user = session["user"]["user_id"].as_str().unwrap().to_owned();
        Self { client, user, email, marks }
    }

    /// Buys something, is told, and has something left in the cart.
    async fn live(&self, product: &str) {
        let item = json!({"product_id": product, "quantity": 2});
        self.client.post("/v1/cart/items", item).await.ok();
        let home = json!({"recipient": self.marks[2], "street": self.marks[6], "city": self.marks[4],
            "postal_code": self.marks[5], "country_code": "GB"});
        let home = json!({"label": self.marks[7], "postal_address": home});
        self.client.post("/v1/users/me/addresses", home).await.ok();
        let address = json!({"recipient": self.marks[2], "street": self.marks[3],
            "city": self.marks[4], "postal_code": self.marks[5], "country_code": "GB"});
        let body = json!({"payment_token": "tok_visa", "shipping_address": address});
        let order = self.client.post_once("/v1/orders", body).await.ok();
        assert_eq!(order["state"], "ORDER_STATE_CONFIRMED", "{order}");
        let item = json!({"product_id": product, "quantity": 1});
        self.client.post("/v1/cart/items", item).await.ok();
        self.client.patch("/v1/notifications/preferences", json!({"email": true})).await.ok();
        eventually("the confirmation was sent", async || {
            let inbox = self.client.get("/v1/notifications").await.ok();
            let sent = |told: &Value| {
                told["kind"] == "NOTIFICATION_KIND_ORDER_CONFIRMED"
                    && told["email_state"] == "DELIVERY_STATE_SENT"
            };
            inbox["notifications"].as_array()?.iter().any(sent).then_some(())
        })
        .await;
    }

    /// What is left of her in databases.
    fn tombstones(&self) -> [String; 3] {
        ["orders", "payments", "notifications"]
            .map(|database| format!("{database} public.erased_users: {}", self.user))
    }

    /// Where it stands that she was erased, so that it can be done again after a restore.
    fn record(&self) -> String {
        format!("identity public.erasures: {}", self.user)
    }

    /// What is left of her in Redis.
    fn key(&self) -> String {
        format!("cart:{{{}}}:erased", self.user)
    }

    /// What must not be found.
    fn values(&self) -> Vec<String> {
        self.marks.iter().cloned().chain([self.user.clone()]).collect()
    }
}

/// The services as identity reaches them.
struct Services {
    cart: Channel,
    orders: Channel,
    payments: Channel,
    notifications: Channel,
}

/// The same call of a service's `PersonalDataService`.
macro_rules! erase {
    ($package:ident, $channel:expr, $user:expr) => {{
        use $package::v1::personal_data_service_client::PersonalDataServiceClient;
        let request = $package::v1::ErasePersonalDataRequest { user_id: $user.to_owned() };
        let mut client = PersonalDataServiceClient::new($channel.clone());
        client.erase_personal_data(request).await.unwrap().into_inner().complete
    }};
}

impl Services {
    fn of(platform: &Platform) -> Self {
        let identity = mesh::identity(&platform.stack, "identity");
        let to = |workload| mesh::channel(&platform.stack, Some(&identity), workload);
        Self {
            cart: to("cart"),
            orders: to("orders"),
            payments: to("payments"),
            notifications: to("notifications"),
        }
    }

    /// One round: those first who may still call the others.
    async fn erase(&self, user: &str) -> bool {
        erase!(orders, self.orders, user)
            & erase!(payments, self.payments, user)
            & erase!(cart, self.cart, user)
            & erase!(notifications, self.notifications, user)
    }
}

/// Where any of the values stands, in any row of any table of these databases.
async fn places(platform: &Platform, databases: &[&str], values: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for database in databases {
        let pool = PgPool::connect(&platform.stack.postgres_url(database).unwrap()).await.unwrap();
        let places = testkit::places_of(&pool, values).await;
        found.extend(places.into_iter().map(|place| format!("{database} {place}")));
        pool.close().await;
    }
    found
}

/// The names of the keys in Redis that name the user: every key of a cart does.
async fn keys_of(platform: &Platform, user: &str) -> Vec<String> {
    let url = platform.stack.redis_url().unwrap();
    let root_cert = Some(std::fs::read(platform.stack.stores_authority()).unwrap());
    let certificates = redis::TlsCertificates { client_tls: None, root_cert };
    let client = redis::Client::build_with_tls(url, certificates).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let pattern = format!("*{user}*");
    let asked = redis::cmd("KEYS").arg(pattern).query_async(&mut connection).await;
    let mut keys: Vec<String> = asked.unwrap();
    keys.sort();
    keys
}

#[test]
fn a_person_who_was_erased_stands_in_no_store_of_these_services() {
    with_platform(async |platform| {
        let product = platform.admin.product(1_299, 10).await;
        let ada = Marked::register(&platform).await;
        ada.live(&product).await;
        let before = places(&platform, &BESIDE, &ada.values()).await;
        for database in ["orders", "payments", "notifications"] {
            assert!(before.iter().any(|p| p.starts_with(database)), "{database}: {before:?}");
        }
        for mark in &ada.marks[..6] {
            assert!(before.iter().any(|p| p.ends_with(mark)), "{mark} is somewhere: {before:?}");
        }
        assert_eq!(keys_of(&platform, &ada.user).await.len(), 3);

        let services = Services::of(&platform);
        eventually("all services have erased her", async || {
            services.erase(&ada.user).await.then_some(())
        })
        .await;
        assert_eq!(places(&platform, &BESIDE, &ada.values()).await, ada.tombstones());
        assert_eq!(keys_of(&platform, &ada.user).await, [ada.key()]);

        let item = json!({"product_id": product, "quantity": 1});
        let refused = ada.client.post("/v1/cart/items", item).await;
        assert_eq!((refused.status, refused.reason()), (StatusCode::UNAUTHORIZED, "TOKEN_INVALID"));
        for list in ["/v1/orders", "/v1/notifications"] {
            let seen = ada.client.get(list).await.ok();
            let empty = seen.as_object().unwrap().values().all(|v| v == &json!([]) || v == "");
            assert!(empty, "{list}: {seen}");
        }
        assert!(!platform.mail_to(&ada.email).is_empty(), "what was sent is hers");
    });
}

#[test]
fn a_closed_account_is_gone_from_every_store_and_its_copy_had_everything() {
    with_platform(async |platform| {
        let product = platform.admin.product(1_299, 10).await;
        let ada = Marked::register(&platform).await;
        ada.live(&product).await;
        let databases = [&BESIDE[..], &["identity"]].concat();
        let before = places(&platform, &databases, &ada.values()).await;
        assert!(before.iter().any(|place| place.starts_with("identity")), "{before:?}");

        // An archive without compression: what is in it can be searched.
        let archive = ada.client.request(Method::GET, "/v1/users/me:export");
        let archive = archive.send().await.unwrap().error_for_status().unwrap();
        let archive = archive.bytes().await.unwrap();
        let has = |text: &str| archive.windows(text.len()).any(|part| part == text.as_bytes());
        for text in ada.marks.iter().chain([&product]) {
            assert!(has(text), "{text} is in the copy");
        }

        ada.client.post("/v1/users/me:close", json!({"current_password": PASSWORD})).await.ok();
        eventually("nothing is left but tombstones", async || {
            let found = places(&platform, &databases, &ada.values()).await;
            let left = [&ada.tombstones()[..], &[ada.record()]].concat();
            (found == left).then_some(())
        })
        .await;
        assert_eq!(keys_of(&platform, &ada.user).await, [ada.key()]);
        let order = ada.client.post_once("/v1/orders", crate::client::order("tok_visa")).await;
        assert!(order.status.is_client_error(), "{order:?}");
        let login = json!({"email": ada.email, "password": PASSWORD});
        let login = platform.anonymous().post("/v1/auth/login", login).await;
        assert_eq!(login.reason(), "BAD_CREDENTIALS");
        let mails = platform.mail_to(&ada.email);
        let last = mails.iter().filter(|mail| mail.contains("Subject: Your account is closed"));
        assert_eq!(last.count(), 1, "she was told: {mails:?}");
    });
}
