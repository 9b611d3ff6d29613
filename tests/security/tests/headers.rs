//! Headers of answers: what protects browsers stands on every one, whoever made it, and
//! other sites' pages are let in by a list only.

use std::collections::BTreeMap;

use e2e::client::Client;
use e2e::platform::Platform;
use futures::future::join_all;
use reqwest::{Certificate, Method, RequestBuilder, Response};

use crate::arena::attack;
use crate::raw;
use crate::table::Table;

/// OWASP REST Security Cheat Sheet and Secure Headers Project.
const SECURITY: [(&str, &str); 9] = [
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    (
        "permissions-policy",
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
         magnetometer=(), microphone=(), payment=(), usb=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-permitted-cross-domain-policies", "none"),
];
const TRANSPORT: &str = "strict-transport-security";

/// What would tell of the inside.
const TELLING: [&str; 5] = [
    "x-powered-by",
    "x-envoy-upstream-service-time",
    "x-envoy-decorator-operation",
    "via",
    "x-aspnet-version",
];

/// Requests to the edge's plain port that end in different places.
const RAW: [(&str, &[u8]); 9] = [
    ("a success", b"GET /v1/categories HTTP/1.1\r\nhost: a\r\n\r\n"),
    ("no such path", b"GET /v1/nothing HTTP/1.1\r\nhost: a\r\n\r\n"),
    ("outside the API", b"GET /favicon.ico HTTP/1.1\r\nhost: a\r\n\r\n"),
    ("no token", b"GET /v1/cart HTTP/1.1\r\nhost: a\r\n\r\n"),
    ("a bad token", b"GET /v1/cart HTTP/1.1\r\nhost: a\r\nauthorization: Bearer x\r\n\r\n"),
    (
        "the guard's refusal",
        b"POST /v1/auth/login HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
    ),
    ("no host", b"GET /v1/categories HTTP/1.1\r\n\r\n"),
    ("an escaped slash", b"GET /v1%2fcart HTTP/1.1\r\nhost: a\r\n\r\n"),
    ("no HTTP at all", b"GET / BAD\r\n\r\n"),
];

#[test]
fn every_answer_has_the_security_headers_whoever_made_it() {
    attack(async |platform| {
        let mut table = Table::new("security-headers");
        let long = format!("GET /v1/cart HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(40_000));
        let mut requests = RAW.to_vec();
        requests.push(("too long headers", long.as_bytes()));
        let replies = join_all(requests.iter().map(|(_, bytes)| raw::send(platform, bytes))).await;
        for ((what, request), reply) in requests.iter().zip(replies) {
            let headers = headers_in(&reply.text);
            let sent = String::from_utf8_lossy(request);
            check(&mut table, what, &sent, &headers);
            table.same(&format!("{what}: {TRANSPORT}"), &sent, None, headers.get(TRANSPORT));
        }
        table.end();
    });
}

#[test]
fn over_https_browsers_are_told_to_stay_there() {
    attack(async |platform| {
        let mut table = Table::new("strict-transport");
        let http = trusting(platform);
        let url = platform.stack.edge_tls_url();
        for path in ["/v1/categories", "/v1/cart", "/v1/nothing", "/v1%2fcart", "/docs"] {
            let answer = http.get(format!("{url}{path}")).send().await.expect("an answer");
            let expected = Some("max-age=31536000; includeSubDomains".to_owned());
            table.same(
                TRANSPORT,
                &format!("GET {path} over TLS"),
                expected,
                told(&answer, TRANSPORT),
            );
            if path != "/docs" {
                let headers = answer.headers().iter();
                let headers = headers.map(|(k, v)| (k.to_string(), v.to_str().unwrap().to_owned()));
                check(&mut table, path, "over TLS", &headers.collect());
            }
        }
        table.end();
    });
}

/// Where a policy of its own stands, it must be as good.
#[test]
fn pages_bring_a_policy_of_their_own_and_are_in_nobodys_frame() {
    attack(async |platform| {
        let mut table = Table::new("page-headers");
        for path in ["/docs", "/oauth2/authorize", "/oauth2/authorize?client_id=made-up"] {
            let sent = format!("GET {path}");
            let answer = platform.anonymous().request(Method::GET, path).send().await.unwrap();
            let policy = told(&answer, "content-security-policy").unwrap_or_default();
            let strict = policy.contains("default-src 'none'")
                && policy.contains("frame-ancestors 'none'")
                && !policy.contains("unsafe-eval");
            let expected = "default-src 'none', frame-ancestors 'none', no unsafe-eval";
            table.row("its policy", &sent, expected, &policy, strict);
            for name in ["x-content-type-options", "x-frame-options", "referrer-policy"] {
                let known = SECURITY.iter().find(|(n, _)| *n == name);
                let expected = known.map(|(_, value)| (*value).to_owned());
                table.same(name, &sent, expected, told(&answer, name));
            }
        }
        table.end();
    });
}

/// Origins that are on no list of a machine's own.
const FOREIGN: [&str; 9] = [
    "https://shop.example.com",
    "null",
    "*",
    "http://localhost.example.com",
    "http://localhost:3000.example.com",
    "http://notlocalhost",
    "https://example.com#http://localhost",
    "http://127x0.0.1",
    "file://",
];

#[test]
fn pages_of_other_origins_are_let_in_by_a_list_only() {
    attack(async |platform| {
        let mut table = Table::new("cross-origin");
        let client = platform.anonymous();
        let allow = "access-control-allow-origin";
        let home = "http://localhost:3000";
        let answer = preflight(&client, home).send().await.unwrap();
        let told_home = |answer: &Response| {
            ["access-control-max-age", "access-control-allow-credentials"].map(|n| told(answer, n))
        };
        table.same("preflight of our own", home, Some(home.to_owned()), told(&answer, allow));
        let expected = [Some("7200".to_owned()), None];
        table.same("it is kept, and lets no cookies through", home, expected, told_home(&answer));
        for origin in FOREIGN {
            let answer = preflight(&client, origin).send().await.unwrap();
            table.same("preflight of a stranger", origin, None, told(&answer, allow));
            let simple = client.request(Method::GET, "/v1/categories").header("origin", origin);
            let answer = simple.send().await.unwrap();
            table.same("a stranger's page reads", origin, None, told(&answer, allow));
        }
        table.end();
    });
}

/// What a form or an image of another site can send without being asked.
#[test]
fn what_a_foreign_page_can_send_unasked_changes_nothing() {
    attack(async |platform| {
        let mut table = Table::new("cross-site-requests");
        let client = platform.anonymous();
        let body = r#"{"email":"eve@example.com","password":"correct horse battery","display_name":"Eve"}"#;
        for kind in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
        {
            let request = client.request(Method::POST, "/v1/auth/register");
            let request = request.header("origin", FOREIGN[0]).header("content-type", kind);
            let answer = e2e::client::send(request.body(body)).await;
            let got = (answer.status.as_u16(), answer.reason().to_owned());
            table.same("a form", kind, (415, "UNSUPPORTED_MEDIA_TYPE".to_owned()), got);
        }
        table.end();
    });
}

fn preflight(client: &Client, origin: &str) -> RequestBuilder {
    client
        .request(Method::OPTIONS, "/v1/cart")
        .header("origin", origin)
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization")
}

fn told(answer: &Response, name: &str) -> Option<String> {
    Some(answer.headers().get(name)?.to_str().unwrap().to_owned())
}

fn check(table: &mut Table, what: &str, sent: &str, headers: &BTreeMap<String, String>) {
    for (name, value) in SECURITY {
        let got = headers.get(name).map(String::as_str);
        table.same(&format!("{what}: {name}"), sent, Some(value), got);
    }
    for name in TELLING {
        table.same(&format!("{what}: {name}"), sent, None, headers.get(name));
    }
    table.same(
        &format!("{what}: server"),
        sent,
        Some("stoa"),
        headers.get("server").map(String::as_str),
    );
}

fn headers_in(reply: &str) -> BTreeMap<String, String> {
    let head = reply.split("\r\n\r\n").next().unwrap_or_default();
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    lines.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect()
}

/// A client that trusts the stack's authority alone.
fn trusting(platform: &Platform) -> reqwest::Client {
    let authority = std::fs::read(platform.stack.pki_dir().join("ca.pem")).unwrap();
    reqwest::Client::builder()
        .tls_built_in_root_certs(false)
        .add_root_certificate(Certificate::from_pem(&authority).unwrap())
        .build()
        .unwrap()
}
