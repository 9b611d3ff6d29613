//! Mass assignment: what only the platform may say is not taken from a client, neither in
//! a body, nor by a mask, nor over gRPC.

use e2e::CONTRACT;
use e2e::client::{Answer, order, product, send};
use e2e::dynamic::{Call, grpc};
use reqwest::Method;
use serde_json::{Value, json};
use tonic::Code;
use tonic::transport::Endpoint;
use uuid::Uuid;

use crate::arena::attack;
use crate::table::Table;

/// Who one is, and what one may: never a client's to say.
fn account_fields() -> Vec<(&'static str, Value)> {
    vec![
        ("roles", json!(["admin"])),
        ("role", json!("admin")),
        ("permissions", json!(["users:write"])),
        ("user_id", json!("019a0000-0000-7000-8000-000000000001")),
        ("id", json!(1)),
        ("is_admin", json!(true)),
        ("email_verified", json!(true)),
        ("create_time", json!("2001-01-01T00:00:00Z")),
        ("password_hash", json!("$argon2id$")),
    ]
}

fn with(mut body: Value, name: &str, value: &Value) -> Value {
    body[name] = value.clone();
    body
}

fn refused(answer: &Answer) -> (bool, String) {
    let got = format!("{} {}", answer.status.as_u16(), answer.reason());
    (answer.status.as_u16() == 400 && !answer.reason().is_empty(), got)
}

#[test]
fn nobody_registers_as_somebody_else_or_with_a_role() {
    attack(async |platform| {
        let mut table = Table::new("assignment-register");
        for (name, value) in account_fields() {
            let email = format!("mallory-{}@example.com", Uuid::now_v7().simple());
            let body =
                json!({"email": email, "password": "correct horse battery", "display_name": "M"});
            let answer =
                platform.anonymous().post("/v1/auth/register", with(body, name, &value)).await;
            let (good, got) = refused(&answer);
            table.row("register", &format!("{name}: {value}"), "400 with a reason", &got, good);
        }
        table.end();
    });
}

#[test]
fn nobody_gives_themselves_roles_or_another_name_in_the_register() {
    attack(async |platform| {
        let mut table = Table::new("assignment-account");
        let customer = platform.anonymous().register().await;
        let before = customer.client.get("/v1/users/me").await.ok();
        let unchanged = async || {
            let mut now = customer.client.get("/v1/users/me").await.ok();
            now["display_name"] = before["display_name"].clone();
            now == before
        };
        for (name, value) in account_fields() {
            let body = with(json!({"display_name": "Mallory"}), name, &value);
            for query in [
                "".to_owned(),
                format!("?update_mask={name}"),
                format!("?update_mask=display_name,{name}"),
                "?update_mask=*".to_owned(),
            ] {
                let answer =
                    customer.client.patch(&format!("/v1/users/me{query}"), body.clone()).await;
                let sent = format!("PATCH{query} {name}: {value}");
                let got = format!("{} {}", answer.status.as_u16(), answer.reason());
                let good = answer.status.as_u16() < 500 && unchanged().await;
                table.row("the account stays as it was", &sent, "unchanged", &got, good);
            }
        }
        let request = customer.client.request(
            Method::PUT,
            &format!("/v1/users/{}/roles", before["user_id"].as_str().unwrap()),
        );
        let answer = send(request.json(&json!({"roles": ["admin"]}))).await;
        table.same("one's own roles", "PUT /v1/users/…/roles", 403, answer.status.as_u16());
        over_grpc(&mut table, &platform.stack.edge_url(), customer.client.token().unwrap()).await;
        table.same("at the end", "GET /v1/users/me", true, unchanged().await);
        table.end();
    });
}

/// Where no guard stands before the service.
async fn over_grpc(table: &mut Table, edge: &str, token: &str) {
    let method = CONTRACT.method("/stoa.identity.v1.IdentityService/UpdateMe").unwrap();
    let channel = Endpoint::from_shared(edge.to_owned()).unwrap().connect_lazy();
    let user = json!({"display_name": "Mallory", "roles": ["admin"], "email": "root@example.com"});
    for mask in ["roles", "display_name,roles", "email", "user_id", "user.roles"] {
        // A mask's names are in camelCase in JSON.
        let mask_json = mask.replace("display_name", "displayName").replace("user_id", "userId");
        let request = json!({"user": user, "update_mask": mask_json});
        let call = Call { method, request: &request, token: Some(token), idempotency_key: None };
        let answer = grpc(&channel, &call).await;
        let sent = format!("gRPC, mask {mask}");
        table.same("a mask for what is not one's own", &sent, Code::InvalidArgument, answer.code);
    }
}

#[test]
fn nobody_sets_the_price_state_or_owner_of_an_order() {
    attack(async |platform| {
        let mut table = Table::new("assignment-order");
        let id = platform.admin.product(2_500, 50).await;
        let customer = platform.anonymous().register().await;
        let price = json!({"currency_code": "EUR", "units": "0", "nanos": 10_000_000});
        let fields = [
            ("price", price.clone()),
            ("unit_price", price.clone()),
            ("total", price.clone()),
            ("discount", json!(100)),
            ("state", json!("ORDER_STATE_CONFIRMED")),
            ("user_id", json!("019a0000-0000-7000-8000-000000000001")),
            ("order_id", json!("019a0000-0000-7000-8000-000000000001")),
            ("payment_id", json!("019a0000-0000-7000-8000-000000000001")),
            ("lines", json!([{"product_id": id, "quantity": 1, "unit_price": price}])),
        ];
        for (name, value) in &fields {
            let item = with(json!({"product_id": id, "quantity": 1}), name, value);
            let answer = customer.client.post("/v1/cart/items", item).await;
            let (good, got) = refused(&answer);
            table.row(
                "into the cart",
                &format!("{name}: {value}"),
                "400 with a reason",
                &got,
                good,
            );
            let body = with(order("tok_visa"), name, value);
            let answer = customer.client.post_once("/v1/orders", body).await;
            let (good, got) = refused(&answer);
            table.row("an order", &format!("{name}: {value}"), "400 with a reason", &got, good);
        }
        customer.put_in_cart(&id, 2).await;
        let order = customer.order("tok_visa").await.ok();
        table.same(
            "the price is the catalogue's",
            "an honest order",
            5_000,
            e2e::client::cents(&order["total"]),
        );
        table.end();
    });
}

#[test]
fn nobody_chooses_a_products_id_or_its_times() {
    attack(async |platform| {
        let mut table = Table::new("assignment-product");
        let chosen = "019a0000-0000-7000-8000-00000000abcd";
        for (name, value) in [
            ("product_id", json!(chosen)),
            ("create_time", json!("2001-01-01T00:00:00Z")),
            ("update_time", json!("2001-01-01T00:00:00Z")),
            ("version", json!("7")),
            ("deleted", json!(true)),
        ] {
            let body = with(product(1_000), name, &value);
            let answer = platform.admin.client.post("/v1/products", body).await;
            let taken = answer.body[name] == value;
            let got = format!("{} {}", answer.status.as_u16(), answer.reason());
            let good = answer.status.as_u16() < 500 && !taken;
            table.row("a new product", &format!("{name}: {value}"), "not taken", &got, good);
        }
        let there = platform.anonymous().get(&format!("/v1/products/{chosen}")).await;
        table.same("a product by the chosen id", chosen, 404, there.status.as_u16());
        table.end();
    });
}
