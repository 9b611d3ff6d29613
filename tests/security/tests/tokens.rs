//! Tokens that must not be believed: every forgery, for methods of every kind of access,
//! over REST, over gRPC at the edge, and straight at the service.

mod forged;

use std::time::Duration;

use contract::{EDGE, Method};
use e2e::CONTRACT;
use e2e::client::send;
use e2e::dynamic::{Answer, Call, Raw, grpc, rest};
use e2e::mesh;
use e2e::platform::Platform;
use futures::{StreamExt, stream};
use reqwest::header::{AUTHORIZATION, COOKIE};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use crate::arena::attack;
use crate::table::Table;
use forged::{Forged, Forger};

/// One of each kind of access: public, signed in, a customer's and an administrator's.
const METHODS: [&str; 4] = [
    "/stoa.catalog.v1.CatalogService/ListCategories",
    "/stoa.identity.v1.IdentityService/GetMe",
    "/stoa.cart.v1.CartService/GetCart",
    "/stoa.identity.v1.IdentityService/ListUsers",
];

/// Calls at the same time.
const AT_ONCE: usize = 8;

/// The ways to one method.
struct Door {
    method: &'static Method,
    edge_url: String,
    http: reqwest::Client,
    edge: Channel,
    mesh: Channel,
}

impl Door {
    fn to(platform: &Platform, path: &str) -> Self {
        let stack = &platform.stack;
        let (service, method) = CONTRACT.methods().find(|(_, m)| m.path == path).expect(path);
        let edge = mesh::identity(stack, EDGE);
        Self {
            method,
            edge_url: stack.edge_url(),
            http: reqwest::Client::new(),
            edge: Endpoint::from_shared(stack.edge_url()).unwrap().connect_lazy(),
            mesh: mesh::channel(stack, Some(&edge), &service.workload),
        }
    }

    async fn ask(&self, way: &str, token: &str) -> Answer {
        let request = json!({});
        let call = Call {
            method: self.method,
            request: &request,
            token: Some(token),
            idempotency_key: None,
        };
        match way {
            "REST" => rest(&self.http, &self.edge_url, &call).await,
            "gRPC" => grpc(&self.edge, &call).await,
            _ => grpc(&self.mesh, &call).await,
        }
    }
}

/// As the contract's documents say it: the reason over REST and from a service; native
/// gRPC gets the edge's message.
fn told(answer: &Answer) -> String {
    let by_edge = answer.reason.is_empty() && answer.message.starts_with("The token is not valid");
    let reason = if by_edge { "TOKEN_INVALID" } else { &answer.reason };
    let status = answer.http.map(|status| format!(" {status}")).unwrap_or_default();
    format!("{:?} {reason}{status}", answer.code)
}

/// Roles that are no list are nobody's: the edge misses the permission before a service
/// sees that the token is none.
fn refused(method: &Method, way: &str, forged: &Forged) -> &'static str {
    let denied = forged.what.starts_with("roles is") && method.policy.access.permission.is_some();
    match (way, denied) {
        ("REST", true) => "PermissionDenied PERMISSION_DENIED 403",
        ("gRPC", true) => "PermissionDenied ",
        ("REST", false) => "Unauthenticated TOKEN_INVALID 401",
        _ => "Unauthenticated TOKEN_INVALID",
    }
}

#[test]
fn a_forged_token_is_refused_over_every_way_in() {
    attack(async |platform| {
        let mut table = Table::new("tokens");
        let trap = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let trap_url = format!("http://{}/jwks.json", trap.local_addr().unwrap());
        let forger = Forger::of(platform, &trap_url).await;
        let doors = METHODS.map(|path| Door::to(platform, path));
        let mut cases = Vec::new();
        for door in &doors {
            for way in ["REST", "gRPC", "mesh"] {
                let real = door.ask(way, &forger.real).await;
                let what = format!("{} over {way}: the real token", door.method.name());
                table.same(&what, &forger.real, Code::Ok, real.code);
                cases.extend(forger.all().into_iter().map(|forged| (door, way, forged)));
                cases.push((door, way, forger.not_yet()));
            }
        }
        let asked = stream::iter(cases).map(|(door, way, forged)| async move {
            (door, way, door.ask(way, &forged.token).await, forged)
        });
        let answers: Vec<(&Door, &str, Answer, Forged)> = asked.buffered(AT_ONCE).collect().await;
        for (door, way, answer, forged) in answers {
            let what = format!("{} over {way}: {}", door.method.name(), forged.what);
            let expected = refused(door.method, way, &forged);
            table.same(&what, &forged.token, expected.to_owned(), told(&answer));
        }
        let visited = tokio::time::timeout(Duration::from_millis(1), trap.accept()).await.is_ok();
        table.same("somebody fetched keys from where a token says", &trap_url, false, visited);
        table.end();
    });
}

#[test]
fn a_token_is_believed_in_the_authorization_header_only() {
    attack(async |platform| {
        let mut table = Table::new("token-places");
        let token = platform.admin.client.token().unwrap().to_owned();
        let forged = format!("{token}x");
        let url = format!("{}/v1/cart", platform.stack.edge_url());
        let http = reqwest::Client::new();
        let get = |query: &str| http.get(format!("{url}{query}"));
        let with = |value: String| get("").header(AUTHORIZATION, value);
        let cookie = format!("access_token={token}; token={token}; Authorization=Bearer {token}");
        let in_body = json!({"product_id": "x", "quantity": 1, "access_token": token});
        let (nobody, invalid) = ((401, "UNAUTHENTICATED"), (401, "TOKEN_INVALID"));
        let cases = [
            ("in a cookie", get("").header(COOKIE, cookie), nobody),
            ("in x-access-token", get("").header("x-access-token", &token), nobody),
            (
                "in proxy-authorization",
                get("").header("proxy-authorization", format!("Bearer {token}")),
                nobody,
            ),
            (
                "in the query, access_token",
                get(&format!("?access_token={token}")),
                (400, "REQUEST_MALFORMED"),
            ),
            (
                "in the query, authorization",
                get(&format!("?authorization=Bearer%20{token}")),
                (400, "REQUEST_MALFORMED"),
            ),
            (
                "in the body",
                http.post(format!("{url}/items")).json(&in_body),
                (400, "FIELD_UNKNOWN"),
            ),
            ("as a password", get("").basic_auth("admin", Some(&token)), invalid),
            ("without a scheme", with(token.clone()), invalid),
            ("bearer in lower case", with(format!("bearer {token}")), invalid),
            ("BEARER in upper case", with(format!("BEARER {token}")), invalid),
            ("another scheme", with(format!("Token {token}")), invalid),
            ("a scheme that ends with Bearer", with(format!("xBearer {token}")), invalid),
            ("no token behind Bearer", with("Bearer".to_owned()), invalid),
            ("only a space behind Bearer", with("Bearer ".to_owned()), invalid),
            ("a tab behind Bearer", with(format!("Bearer\t{token}")), invalid),
            ("two tokens in one value", with(format!("Bearer {token}, Bearer {token}")), invalid),
            (
                "the header twice, both good",
                with(format!("Bearer {token}")).header(AUTHORIZATION, format!("Bearer {token}")),
                invalid,
            ),
            (
                "the header twice, the first good",
                with(format!("Bearer {token}")).header(AUTHORIZATION, format!("Bearer {forged}")),
                invalid,
            ),
            (
                "the header twice, the second good",
                with(format!("Bearer {forged}")).header(AUTHORIZATION, format!("Bearer {token}")),
                invalid,
            ),
        ];
        for (what, request, (status, reason)) in cases {
            let answer = send(request).await;
            let got = format!("{} {}", answer.status.as_u16(), answer.reason());
            table.same(what, &token, format!("{status} {reason}"), got);
        }
        table.end();
    });
}

/// Straight at a service, where no edge has looked at the header before.
#[test]
fn a_service_itself_believes_a_bearer_token_and_nothing_else() {
    attack(async |platform| {
        let mut table = Table::new("token-places-mesh");
        let token = platform.admin.client.token().unwrap();
        let good = format!("Bearer {token}");
        let cases = [
            ("a bearer token", vec![good.clone()], Code::Ok),
            ("no token", vec![], Code::Unauthenticated),
            ("without a scheme", vec![token.to_owned()], Code::Unauthenticated),
            ("another scheme", vec![format!("Token {token}")], Code::Unauthenticated),
            ("as a password", vec![format!("Basic {token}")], Code::Unauthenticated),
            ("two tokens in one value", vec![format!("{good}, {good}")], Code::Unauthenticated),
            ("a bad token before it", vec![format!("{good}x"), good], Code::Unauthenticated),
        ];
        let peer = mesh::identity(&platform.stack, EDGE);
        let channel = mesh::channel(&platform.stack, Some(&peer), "identity");
        for (what, values, expected) in cases {
            let got = get_me(&channel, &values).await;
            table.same(what, &values.join("; "), expected, got);
        }
        table.end();
    });
}

async fn get_me(channel: &Channel, authorization: &[String]) -> Code {
    let mut request = tonic::Request::new(Vec::new());
    for value in authorization {
        request.metadata_mut().append("authorization", value.parse().unwrap());
    }
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let path = "/stoa.identity.v1.IdentityService/GetMe".parse().unwrap();
    client.unary(request, path, Raw).await.map_or_else(|status| status.code(), |_| Code::Ok)
}

#[test]
fn a_cookie_never_authenticates_wherever_it_is_sent() {
    attack(async |platform| {
        let mut table = Table::new("cookies");
        let token = platform.admin.client.token().unwrap();
        let cookie = format!("access_token={token}; session={token}; stoa_signin={token}");
        let guarded = CONTRACT.external().filter(|(_, m)| m.policy.access.needs_user());
        for (_, method) in guarded {
            let http = method.http.as_ref().expect("a REST form");
            let mut path = http.template.clone();
            for name in http.variables() {
                path = path.replace(&format!("{{{name}}}"), "019a0000-0000-7000-8000-000000000000");
            }
            let client = platform.anonymous();
            let request = client.request(http.verb.parse().unwrap(), &path).header(COOKIE, &cookie);
            let empty: Value = json!({});
            let request = if http.body.is_empty() { request } else { request.json(&empty) };
            let answer = send(request).await;
            let sent = format!("{} {path} with cookies", http.verb);
            table.same(method.name(), &sent, 401, answer.status.as_u16());
        }
        table.end();
    });
}
