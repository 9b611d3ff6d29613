//! What is kept of a person, and what is left after erasure.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor};
use proto::orders::v1::personal_data_service_client::PersonalDataServiceClient;
use proto::orders::v1::{
    ErasePersonalDataRequest, ExportPersonalDataRequest, OrderState, PlaceOrderRequest,
};
use serde_json::Value;
use testkit::{eventually, places_of, reason};
use tonic::Code;
use uuid::Uuid;

use crate::stage::{Customer, Instance, Stage, place_request, settled};
use crate::world::Call;

/// Values that stand nowhere else.
struct Marks(Vec<String>);

/// A request with a value of its own in every field that the contract says is secret
/// or personal.
fn marked_request() -> (PlaceOrderRequest, Marks) {
    static COUNT: AtomicU64 = AtomicU64::new(0x7f3_0000_0000);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let contract = contract::load(&root).unwrap();
    let method = contract.method("/stoa.orders.v1.OrderService/PlaceOrder").unwrap();
    let marks = std::cell::RefCell::new(Vec::new());
    let mark = |field: &FieldDescriptor| {
        contract::is_sensitive(field).unwrap().then(|| {
            // A postal code has twenty characters at most.
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let mark = format!("Zanzibar-{number:011x}");
            marks.borrow_mut().push(mark.clone());
            Value::String(mark)
        })
    };
    let input = method.descriptor.input();
    let json = contract::sample::message_with(&input, &mark).unwrap();
    let message = DynamicMessage::deserialize(input, json).unwrap().encode_to_vec();
    let marks = marks.into_inner();
    assert_eq!(marks.len(), 5, "a token and an address but for its country");
    (PlaceOrderRequest::decode(message.as_slice()).unwrap(), Marks(marks))
}

impl Instance {
    async fn export(&self, user: Uuid) -> Option<Value> {
        let request = ExportPersonalDataRequest { user_id: user.to_string() };
        let json = self.people.clone().export_personal_data(request).await.unwrap();
        let json = json.into_inner().json;
        (!json.is_empty()).then(|| serde_json::from_str(&json).unwrap())
    }

    async fn erase(&self, user: Uuid) -> bool {
        let request = ErasePersonalDataRequest { user_id: user.to_string() };
        self.people.clone().erase_personal_data(request).await.unwrap().into_inner().complete
    }

    /// As identity does: again and again.
    async fn erase_completely(&self, user: Uuid) {
        eventually("a complete erasure", async || self.erase(user).await.then_some(())).await;
    }
}

impl Stage {
    /// Nothing in any table names the user or carries a mark, but for the tombstone.
    async fn assert_forgotten(&self, user: Uuid, Marks(marks): &Marks) {
        let values: Vec<_> = marks.iter().cloned().chain([user.to_string()]).collect();
        let found = places_of(&self.database.pool, &values).await;
        assert_eq!(found, [format!("public.erased_users: {user}")]);
    }

    async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.database.pool).await.unwrap()
    }
}

#[tokio::test]
async fn an_order_stays_for_the_books_and_nothing_in_it_names_the_person() {
    let (stage, shop) = Stage::with_instance().await;
    let (ada, grace) = (stage.customer(), stage.customer());
    let (request, marks) = marked_request();
    let order = ada.place_with(&shop.client, "Zanzibar-key", request).await.unwrap();
    let others = grace.place(&shop.client, "k").await.unwrap();
    settled(&stage, &order).await;
    settled(&stage, &others).await;
    let marks = Marks(marks.0.into_iter().chain(["Zanzibar-key".to_owned()]).collect());
    let all: Vec<_> = marks.0.iter().cloned().chain([ada.id.to_string()]).collect();
    assert!(places_of(&stage.database.pool, &all).await.len() >= 6, "a search finds what is there");

    shop.erase_completely(ada.id).await;
    assert!(shop.erase(ada.id).await, "and again");
    stage.assert_forgotten(ada.id, &marks).await;

    let kept: (String, String, i64, String, Uuid) = sqlx::query_as(
        "select state, currency, total_minor, country_code, user_id from orders
         where erased_at is not null",
    )
    .fetch_one(&stage.database.pool)
    .await
    .unwrap();
    assert_eq!((kept.0.as_str(), kept.1.as_str(), kept.2), ("confirmed", "EUR", 2_598));
    assert_eq!(kept.3, "GB", "the country decides the tax");
    assert_eq!(kept.4.get_version_num(), 4, "no user has such an id");
    assert_eq!(stage.count("select count(*) from order_lines").await, 2);
    assert_eq!(grace.get(&shop.client, &others.order_id).await.unwrap(), others);
}

#[tokio::test]
async fn a_token_that_outlives_its_user_finds_nothing_and_orders_nothing() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let order = ada.place(&shop.client, "k").await.unwrap();
    settled(&stage, &order).await;
    shop.erase_completely(ada.id).await;

    assert!(ada.orders(&shop.client).await.is_empty());
    let gone = ada.get(&shop.client, &order.order_id).await.unwrap_err();
    assert_eq!(reason(&gone), "ORDER_NOT_FOUND");
    let gone = ada.cancel(&shop.client, &order.order_id).await.unwrap_err();
    assert_eq!(reason(&gone), "ORDER_NOT_FOUND");
    stage.world.fill_cart(ada.id, &[(ada.kettle, 1)]);
    for key in ["k", "another"] {
        let refused = ada.place(&shop.client, key).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::Unauthenticated, "TOKEN_INVALID")
        );
    }
    assert_eq!(stage.count("select count(*) from orders").await, 1);
    stage.assert_forgotten(ada.id, &Marks(Vec::new())).await;
}

#[tokio::test]
async fn an_order_that_has_not_ended_keeps_its_address_until_it_has() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let (request, marks) = marked_request();
    let gate = stage.world.hold(Call::Capture, ada.id);
    let checkout = async {
        gate.reached().await;
        eventually("all that is to be told so far was told", async || {
            let unsent = "select count(*) from outbox where sent_at is null";
            (stage.count(unsent).await == 0).then_some(())
        })
        .await;
        assert!(!shop.erase(ada.id).await, "it is paid for and not settled yet");
        assert!(!shop.erase(ada.id).await);
        let order = ada.orders(&shop.client).await.pop().unwrap();
        assert_eq!(order.state(), OrderState::Confirmed);
        let street = &order.shipping_address.as_ref().unwrap().street;
        assert!(marks.0.contains(street), "{street}");
        gate.open();
    };
    let (placed, ()) = tokio::join!(ada.place_with(&shop.client, "k", request), checkout);
    settled(&stage, &placed.unwrap()).await;
    shop.erase_completely(ada.id).await;
    stage.assert_forgotten(ada.id, &marks).await;
}

#[tokio::test]
async fn an_order_placed_before_the_erasure_commits_is_waited_for_and_found() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    // The order is written down and its key is not: the transaction is in the middle.
    let mut between = postgres::begin(&stage.database.pool).await.unwrap();
    let lock = "lock table idempotency_keys in exclusive mode";
    sqlx::query(lock).execute(&mut *between).await.unwrap();
    let settling = stage.world.hold(Call::Capture, ada.id);
    let placing = ada.place(&shop.client, "k");
    let erasing = async {
        lock_is(&stage, true).await;
        let erasing = shop.erase(ada.id);
        let letting_go = async {
            lock_is(&stage, false).await;
            between.rollback().await.unwrap();
        };
        let (complete, ()) = tokio::join!(erasing, letting_go);
        settling.open();
        complete
    };
    let (placed, complete) = tokio::join!(placing, erasing);
    assert_eq!(placed.unwrap().state(), OrderState::Confirmed);
    assert!(!complete, "its order was not finished");
    shop.erase_completely(ada.id).await;
    stage.assert_forgotten(ada.id, &Marks(Vec::new())).await;
}

/// Waits until somebody holds the lock of erasure, or waits for it.
async fn lock_is(stage: &Stage, granted: bool) {
    let lock = "select exists (
        select from pg_locks join pg_database on pg_database.oid = pg_locks.database
        where datname = current_database() and locktype = 'advisory'
            and classid = 1701994867 and granted = $1)";
    eventually(&format!("the lock of erasure; granted: {granted}"), async || {
        let lock = sqlx::query_scalar::<_, bool>(lock).bind(granted);
        lock.fetch_one(&stage.database.pool).await.unwrap().then_some(())
    })
    .await;
}

#[tokio::test]
async fn orders_that_race_with_an_erasure_are_refused_or_found_by_the_next_call() {
    let (stage, shop) = Stage::with_instance().await;
    let (mut placed, mut refused) = (0, 0);
    for round in 0..12_u32 {
        let ada = stage.customer();
        let placing = async {
            let mut answers = Vec::new();
            for key in 0..3 {
                stage.world.fill_cart(ada.id, &[(ada.kettle, 1)]);
                answers.push(ada.place(&shop.client, &format!("{key}")).await);
            }
            answers
        };
        let erasing = async {
            for _ in 0..round * 400 {
                tokio::task::yield_now().await;
            }
            shop.erase(ada.id).await
        };
        let (answers, _) = tokio::join!(placing, erasing);
        for answer in answers {
            match answer {
                Ok(_) => placed += 1,
                Err(status) => {
                    assert_eq!(reason(&status), "TOKEN_INVALID", "{status}");
                    refused += 1;
                }
            }
        }
        shop.erase_completely(ada.id).await;
        stage.assert_forgotten(ada.id, &Marks(Vec::new())).await;
        assert!(shop.erase(ada.id).await, "nothing came back");
    }
    println!("{placed} orders were placed, {refused} refused");
    assert!(placed > 0 && refused > 0);
}

#[tokio::test]
async fn a_cancellation_that_races_with_an_erasure_ends_and_leaves_nothing() {
    let (stage, shop) = Stage::with_instance().await;
    for _ in 0..8 {
        let ada = stage.customer();
        let order = ada.place(&shop.client, "k").await.unwrap();
        settled(&stage, &order).await;
        let (cancelled, _) =
            tokio::join!(ada.cancel(&shop.client, &order.order_id), shop.erase(ada.id));
        if let Err(status) = cancelled {
            assert_eq!(reason(&status), "ORDER_NOT_FOUND", "{status}");
        }
        shop.erase_completely(ada.id).await;
        stage.assert_forgotten(ada.id, &Marks(Vec::new())).await;
    }
    assert_eq!(stage.count("select count(*) from orders where state = 'cancelling'").await, 0);
}

#[tokio::test]
async fn an_export_has_everything_in_the_contracts_form_and_is_empty_when_nothing_is_kept() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    assert_eq!(shop.export(ada.id).await, None);
    let (request, marks) = marked_request();
    let first = ada.place_with(&shop.client, "one", request).await.unwrap();
    stage.world.fill_cart(ada.id, &[(ada.kettle, 1)]);
    let second = ada.place_with(&shop.client, "two", place_request()).await.unwrap();
    settled(&stage, &second).await;

    let export = shop.export(ada.id).await.unwrap();
    let orders = export["orders"].as_array().unwrap();
    let ids: Vec<_> = orders.iter().map(|order| order["order_id"].as_str().unwrap()).collect();
    assert_eq!(ids, [second.order_id.as_str(), first.order_id.as_str()]);
    assert_eq!(orders[1]["total"]["units"], "25");
    assert_eq!(orders[1]["state"], "ORDER_STATE_CONFIRMED");
    let text = orders[1].to_string();
    let of_address = marks.0.iter().filter(|mark| text.contains(*mark)).count();
    assert_eq!(of_address, 4, "all but the token, which is not kept: {text}");
    let keys = export["idempotency_keys"].as_array().unwrap();
    assert_eq!((keys.len(), keys[1]["key"].as_str()), (2, Some("one")));
    assert_eq!(shop.export(Uuid::now_v7()).await, None, "nobody else's");

    shop.erase_completely(ada.id).await;
    assert_eq!(shop.export(ada.id).await, None);
}

#[tokio::test]
async fn many_orders_are_exported_page_by_page() {
    let (stage, shop) = Stage::with_instance().await;
    let ada: Customer = stage.customer();
    let order = ada.place(&shop.client, "k").await.unwrap();
    settled(&stage, &order).await;
    let copies = "insert into orders select gen_random_uuid(), user_id, state, currency,
            total_minor, recipient, street, city, postal_code, country_code, payment_id,
            failure_reason, version, created_at, updated_at
        from orders, generate_series(1, 249)";
    sqlx::query(copies).execute(&stage.database.pool).await.unwrap();
    let export = shop.export(ada.id).await.unwrap();
    assert_eq!(export["orders"].as_array().unwrap().len(), 250);
    assert_eq!(export.get("truncated"), None);
}

#[tokio::test]
async fn only_identity_asks_for_personal_data() {
    let (stage, shop) = Stage::with_instance().await;
    for workload in ["edge", "tools", "payments"] {
        let channel = stage.platform.channel(workload, shop.addr, "orders");
        let mut people = PersonalDataServiceClient::new(channel);
        let request = ErasePersonalDataRequest { user_id: Uuid::now_v7().to_string() };
        let refused = people.erase_personal_data(request).await.unwrap_err();
        assert_eq!(reason(&refused), "CALLER_NOT_ALLOWED", "{workload}");
    }
}
