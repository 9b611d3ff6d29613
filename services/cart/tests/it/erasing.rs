//! What is kept of a person, and what is left after erasure.

use grpc::MeshChannel;
use proto::cart::v1::personal_data_service_client::PersonalDataServiceClient;
use proto::cart::v1::{
    CartLine, ErasePersonalDataRequest, ExportPersonalDataRequest, ReadCartRequest,
    SettleCartRequest,
};
use redis::aio::MultiplexedConnection;
use serde_json::Value;
use testkit::reason;
use tonic::Code;
use uuid::Uuid;

use crate::shop::Shop;

impl Shop {
    fn personal(&self, workload: &str) -> PersonalDataServiceClient<MeshChannel> {
        let channel = self.platform.channel(workload, self.carts_addr(), "cart");
        PersonalDataServiceClient::new(channel)
    }

    async fn export(&self, user: Uuid) -> Option<Value> {
        let request = ExportPersonalDataRequest { user_id: user.to_string() };
        let json = self.personal("identity").export_personal_data(request).await.unwrap();
        let json = json.into_inner().json;
        (!json.is_empty()).then(|| serde_json::from_str(&json).unwrap())
    }

    async fn erase(&self, user: Uuid) {
        let request = ErasePersonalDataRequest { user_id: user.to_string() };
        let answer = self.personal("identity").erase_personal_data(request).await.unwrap();
        assert!(answer.into_inner().complete);
    }

    async fn settle(&self, user: Uuid, order: Uuid, product: Uuid) {
        let lines = vec![CartLine { product_id: product.to_string(), quantity: 1 }];
        let (user_id, order_id) = (user.to_string(), order.to_string());
        let request = SettleCartRequest { user_id, order_id, lines };
        self.checkout.clone().settle_cart(request).await.unwrap();
    }
}

/// The keys of the server in whose name or value something stands.
async fn keys_with(text: &str) -> Vec<String> {
    let client = redis::Client::open(testkit::redis_url()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let (mut cursor, mut found) = (0_u64, Vec::new());
    loop {
        let page = redis::cmd("SCAN").arg(cursor).arg("COUNT").arg(1_000).to_owned();
        let (next, keys): (u64, Vec<String>) = page.query_async(&mut redis).await.unwrap();
        for key in keys {
            if key.contains(text) || value_of(&mut redis, &key).await.contains(text) {
                found.push(key);
            }
        }
        cursor = next;
        if cursor == 0 {
            found.sort();
            found.dedup();
            return found;
        }
    }
}

/// As text, whatever its type; empty when it is gone meanwhile.
async fn value_of(redis: &mut MultiplexedConnection, key: &str) -> String {
    let kind: String = redis::cmd("TYPE").arg(key).query_async(redis).await.unwrap();
    let command = match kind.as_str() {
        "hash" => redis::cmd("HGETALL").arg(key).to_owned(),
        "zset" => redis::cmd("ZRANGE").arg(key).arg(0).arg(-1).arg("WITHSCORES").to_owned(),
        "set" => redis::cmd("SMEMBERS").arg(key).to_owned(),
        "list" => redis::cmd("LRANGE").arg(key).arg(0).arg(-1).to_owned(),
        _ => redis::cmd("GET").arg(key).to_owned(),
    };
    let value: redis::Value = command.query_async(redis).await.unwrap();
    text_of(&value)
}

fn text_of(value: &redis::Value) -> String {
    match value {
        redis::Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        redis::Value::Array(values) => values.iter().map(|v| text_of(v) + "\n").collect(),
        redis::Value::Map(pairs) => {
            pairs.iter().map(|(k, v)| text_of(k) + "\n" + &text_of(v) + "\n").collect()
        }
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn nothing_but_a_tombstone_is_left_in_any_key() {
    let shop = Shop::open().await;
    let (ada, token) = shop.customer();
    let (grace, her_token) = shop.customer();
    let (pan, cup, order) =
        (shop.shelf.put("Pan", 100), shop.shelf.put("Cup", 100), Uuid::now_v7());
    shop.add(&token, pan, 1).await.unwrap();
    shop.add(&token, cup, 2).await.unwrap();
    shop.settle(ada, order, pan).await;
    shop.add(&her_token, cup, 3).await.unwrap();
    assert_eq!(keys_with(&ada.to_string()).await.len(), 3, "a search finds what is there");
    assert_eq!(keys_with(&order.to_string()).await.len(), 1);

    for _ in 0..2 {
        shop.erase(ada).await;
    }
    let tombstone = format!("cart:{{{ada}}}:erased");
    assert_eq!(keys_with(&ada.to_string()).await, std::slice::from_ref(&tombstone));
    assert!(keys_with(&order.to_string()).await.is_empty());
    let client = redis::Client::open(testkit::redis_url()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let lives: i64 = redis::cmd("TTL").arg(tombstone).query_async(&mut redis).await.unwrap();
    assert!(lives > 900 && lives <= 30 * 86_400, "longer than a token, and not for ever: {lives}");
    assert_eq!(shop.cart(&her_token).await.item_count, 3);
    assert_eq!(shop.export(grace).await.unwrap()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_that_outlives_its_user_fills_no_cart_and_a_late_order_leaves_no_trace() {
    let shop = Shop::open().await;
    let (ada, token) = shop.customer();
    let pan = shop.shelf.put("Pan", 100);
    shop.add(&token, pan, 1).await.unwrap();
    shop.erase(ada).await;
    let refused = shop.add(&token, pan, 1).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Unauthenticated, "TOKEN_INVALID")
    );
    shop.settle(ada, Uuid::now_v7(), pan).await;
    assert!(shop.cart(&token).await.items.is_empty());
    let request = ReadCartRequest { user_id: ada.to_string() };
    let read = shop.checkout.clone().read_cart(request).await.unwrap().into_inner();
    assert!(read.lines.is_empty());
    assert_eq!(keys_with(&ada.to_string()).await.len(), 1, "the tombstone");
    assert_eq!(shop.export(ada).await, None);
}

#[tokio::test]
async fn items_that_race_with_an_erasure_are_refused_or_gone() {
    let shop = Shop::open().await;
    let pan = shop.shelf.put("Pan", 100);
    for _ in 0..10 {
        let (ada, token) = shop.customer();
        let adding = futures::future::join_all((0..4).map(|_| shop.add(&token, pan, 1)));
        let (added, ()) = tokio::join!(adding, shop.erase(ada));
        for refused in added.into_iter().filter_map(Result::err) {
            assert_eq!(reason(&refused), "TOKEN_INVALID", "{refused}");
        }
        assert_eq!(keys_with(&ada.to_string()).await, [format!("cart:{{{ada}}}:erased")]);
    }
}

#[tokio::test]
async fn an_export_has_the_cart_and_the_orders_taken_out_of_it() {
    let shop = Shop::open().await;
    let (ada, token) = shop.customer();
    assert_eq!(shop.export(ada).await, None);
    let (pan, cup, order) =
        (shop.shelf.put("Pan", 100), shop.shelf.put("Cup", 100), Uuid::now_v7());
    shop.add(&token, pan, 1).await.unwrap();
    shop.add(&token, cup, 2).await.unwrap();
    shop.settle(ada, order, pan).await;
    let export = shop.export(ada).await.unwrap();
    let item = &export["items"][0];
    assert_eq!(item["product_id"].as_str(), Some(cup.to_string().as_str()));
    assert_eq!(item["quantity"], 2);
    assert!(item["add_time"].as_str().is_some_and(|at| at.starts_with("20")), "{item}");
    let settled = &export["settled_orders"][0];
    assert_eq!(settled["order_id"].as_str(), Some(order.to_string().as_str()));
    assert!(settled["time"].as_str().is_some_and(|at| at.starts_with("20")), "{settled}");
}

#[tokio::test]
async fn only_identity_asks_for_personal_data() {
    let shop = Shop::open().await;
    for workload in ["edge", "tools", "orders"] {
        let request = ErasePersonalDataRequest { user_id: Uuid::now_v7().to_string() };
        let refused = shop.personal(workload).erase_personal_data(request).await.unwrap_err();
        assert_eq!(reason(&refused), "CALLER_NOT_ALLOWED", "{workload}");
    }
}
