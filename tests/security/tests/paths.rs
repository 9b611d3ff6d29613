//! Other ways to write a path, and headers that would be another path, method or caller:
//! none opens what the plain path keeps shut.

use e2e::client::send;
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::arena::attack;
use crate::raw::{self, Reply};
use crate::table::Table;

/// Other spellings of `/v1/users`, which administrators may read.
const USERS: [&str; 36] = [
    "/v1/users",
    "/v1/users/",
    "/v1/users//",
    "/v1//users",
    "//v1/users",
    "/./v1/users",
    "/v1/./users",
    "/v1/x/../users",
    "/v1/x/%2e%2e/users",
    "/v1/x/.%2e/users",
    "/v1/x/..%2fusers",
    "/v1/%2e/users",
    "/v1%2fusers",
    "/v1%2Fusers",
    "/v1%5cusers",
    "/v1\\users",
    "/%76%31/users",
    "/v1/%75sers",
    "/v1/users%20",
    "/v1/users%00",
    "/v1/users%0d%0a",
    "/v1/users.",
    "/v1/users.json",
    "/v1/users;",
    "/v1/users;x=1",
    "/v1/users?",
    "/v1/users#x",
    "/V1/users",
    "/v1/Users",
    "/v1/USERS",
    "/v1/users%3f",
    "/docs/../v1/users",
    "/docs/%2e%2e/v1/users",
    "/oauth2/../v1/users",
    "/oauth2/%2e%2e/v1/users",
    "http://127.0.0.1/v1/users",
];

#[test]
fn no_spelling_of_a_path_opens_what_is_shut() {
    attack(async |platform| {
        let mut table = Table::new("paths");
        let customer = platform.anonymous().register().await;
        let token = customer.client.token().unwrap();
        let admin = platform.admin.client.token().unwrap();
        let known = raw::send(
            platform,
            get("/v1/users", &format!("authorization: Bearer {admin}\r\n")).as_bytes(),
        )
        .await;
        table.same("the administrator", "GET /v1/users", vec![200], known.statuses());
        let callers = [
            ("nobody", String::new()),
            ("a customer", format!("authorization: Bearer {token}\r\n")),
        ];
        let cases: Vec<_> = callers.iter().flat_map(|c| USERS.map(|path| (c, path))).collect();
        let asked = cases.iter().map(async |((_, header), path)| {
            raw::send(platform, get(path, header).as_bytes()).await
        });
        for (((who, _), path), reply) in cases.iter().zip(join_all(asked).await) {
            let got = reply.statuses();
            let shut = got.len() == 1 && [400, 401, 403, 404].contains(&got[0]);
            let expected = "once 400, 401, 403 or 404";
            let shown = format!("{got:?} {}", reply.reason());
            table.row(who, &format!("GET {path}"), expected, &shown, shut);
        }
        table.end();
    });
}

/// What the edge does not serve: RPCs between services, plumbing, its own admin pages, and
/// files of the machine.
const INSIDE: [&str; 20] = [
    "/stoa.cart.v1.CartCheckoutService/ReadCart",
    "//stoa.cart.v1.CartCheckoutService/ReadCart",
    "/stoa.cart.v1.CartCheckoutService%2fReadCart",
    "/stoa.payments.v1.CheckoutPaymentService/Capture",
    "/stoa.inventory.v1.ReservationService/Reserve",
    "/STOA.CART.V1.CARTCHECKOUTSERVICE/READCART",
    "/oauth2/../stoa.cart.v1.CartCheckoutService/ReadCart",
    "/oauth2/%2e%2e/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Check",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/metrics",
    "/readyz",
    "/stats",
    "/config_dump",
    "/quitquitquit",
    "/docs/../../../../../../etc/passwd",
    "/docs/..%2f..%2f..%2f..%2fetc/passwd",
    "/docs/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/docs//etc/passwd",
    "/.git/config",
];

#[test]
fn what_is_inside_has_no_path_from_outside() {
    attack(async |platform| {
        let mut table = Table::new("inside");
        let admin = platform.admin.client.token().unwrap();
        let token = format!("authorization: Bearer {admin}\r\n");
        let kinds = [
            ("JSON", "content-type: application/json\r\ncontent-length: 2\r\n"),
            ("gRPC", "content-type: application/grpc\r\nte: trailers\r\ncontent-length: 2\r\n"),
        ];
        let mut cases = Vec::new();
        for path in INSIDE {
            for (kind, headers) in kinds {
                for verb in ["GET", "POST"] {
                    let head = format!("{verb} {path} HTTP/1.1\r\nhost: a\r\n{token}{headers}");
                    cases.push((kind, format!("{verb} {path}"), format!("{head}\r\n{{}}")));
                }
            }
        }
        let asked = cases.iter().map(|(_, _, request)| raw::send(platform, request.as_bytes()));
        for ((kind, what, _), reply) in cases.iter().zip(join_all(asked).await) {
            let got = reply.statuses();
            let leaks = reply.text.contains("root:");
            let shown = format!("{got:?} {} {}", reply.reason(), reply.grpc_status());
            table.row(kind, what, "refused", &shown, is_refused(&reply) && !leaks);
        }
        table.end();
    });
}

/// gRPC says it in a header of a 200.
fn is_refused(reply: &Reply) -> bool {
    let status = reply.statuses();
    let by_status = status.len() == 1 && [400, 403, 404, 415].contains(&status[0]);
    by_status || (status == [200] && !["", "0"].contains(&reply.grpc_status()))
}

/// Headers that some server somewhere believes.
const OVERRIDES: [(&str, &str); 17] = [
    ("x-original-url", "/v1/users"),
    ("x-rewrite-url", "/v1/users"),
    ("x-forwarded-prefix", "/v1/users"),
    ("x-envoy-original-path", "/v1/users"),
    ("x-envoy-original-method", "GET"),
    ("x-envoy-internal", "true"),
    ("x-envoy-expected-rq-timeout-ms", "1"),
    ("x-user-id", "019a0000-0000-7000-8000-000000000001"),
    ("x-roles", "admin"),
    ("x-jwt-payload", "eyJyb2xlcyI6WyJhZG1pbiJdfQ"),
    (
        "x-forwarded-client-cert",
        "By=spiffe://stoa.local/ns/stoa/sa/cart;URI=spiffe://stoa.local/ns/stoa/sa/orders",
    ),
    ("x-forwarded-host", "127.0.0.1:9901"),
    ("x-forwarded-proto", "https"),
    ("x-http-method-override", "DELETE"),
    ("x-http-method", "DELETE"),
    ("x-method-override", "DELETE"),
    ("grpc-timeout", "1n"),
];

#[test]
fn no_header_is_another_path_method_or_caller() {
    attack(async |platform| {
        let mut table = Table::new("overrides");
        let product = platform.admin.product(500, 5).await;
        let customer = platform.anonymous().register().await;
        customer.put_in_cart(&product, 1).await;
        for (name, value) in OVERRIDES {
            let sent = format!("{name}: {value}");
            let users = customer.client.request(Method::GET, "/v1/users").header(name, value);
            table.same(
                "a customer asks for all users",
                &sent,
                403,
                send(users).await.status.as_u16(),
            );
            let nobody = platform.anonymous().request(Method::GET, "/v1/cart").header(name, value);
            table.same("nobody asks for a cart", &sent, 401, send(nobody).await.status.as_u16());
            let cart = customer.client.request(Method::GET, "/v1/cart").header(name, value);
            let cart = send(cart).await;
            let full = (cart.status.as_u16(), cart.body["items"].as_array().map(Vec::len));
            table.same("a customer reads the cart, and it stays full", &sent, (200, Some(1)), full);
        }
        let query = customer
            .client
            .post("/v1/cart/items?_method=DELETE", json!({"product_id": product, "quantity": 1}))
            .await;
        table.same("a method in the query", "?_method=DELETE", 400, query.status.as_u16());
        table.end();
    });
}

/// What a client says about its request id or its trace is not taken for ours.
#[test]
fn a_request_id_from_outside_is_replaced() {
    attack(async |platform| {
        let mut table = Table::new("request-ids");
        let mine = "11111111-1111-4111-8111-111111111111";
        let request = platform.anonymous().request(Method::GET, "/v1/categories");
        let answer = request.header("x-request-id", mine).send().await.unwrap();
        let told = answer.headers().get("x-request-id").map(|v| v.to_str().unwrap().to_owned());
        let replaced = told.as_deref().is_some_and(|id| id != mine);
        table.row("x-request-id", mine, "another", &format!("{told:?}"), replaced);
        table.end();
    });
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: a\r\n{headers}\r\n")
}
