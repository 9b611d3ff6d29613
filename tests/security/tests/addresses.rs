//! A client cannot choose the address that its rate is limited by.

use std::net::IpAddr;

use e2e::CONTRACT;
use e2e::client::{Answer, Client, send};
use e2e::platform::Platform;
use reqwest::Method;
use serde_json::json;

use crate::arena::attack_within_limits;
use crate::table::Table;

/// What proxies write and clients make up; `{}` is an address of the client's choice.
const CLAIMS: [(&str, &str); 8] = [
    ("x-forwarded-for", "{}"),
    ("x-forwarded-for", "{}, 127.0.0.1"),
    ("x-real-ip", "{}"),
    ("forwarded", "for={}"),
    ("true-client-ip", "{}"),
    ("cf-connecting-ip", "{}"),
    ("x-envoy-external-address", "{}"),
    ("x-envoy-original-dst-host", "{}:80"),
];

/// A cheap method with a rate for each address.
const LIMITED: &str = "/stoa.identity.v1.IdentityService/Logout";

#[test]
fn nobody_escapes_a_rate_limit_by_claiming_another_address() {
    attack_within_limits(async |platform| {
        let mut table = Table::new("addresses");
        let rate = CONTRACT.method(LIMITED).unwrap().policy.rate.as_ref().expect("a rate");
        for (number, (name, value)) in (100..).zip(CLAIMS) {
            let client = at(platform, number);
            let mut limited = false;
            // Twice what may come at once, and what is added meanwhile.
            for step in 0..rate.burst * 3 {
                let claimed = format!("203.0.{}.{}", step / 250, step % 250);
                let answer = knock(&client, Some((name, value.replace("{}", &claimed)))).await;
                limited = answer.reason() == "RATE_LIMITED";
                if limited {
                    break;
                }
            }
            let sent = format!("{name}: {value}, another one each time");
            table.same("a client that claims to be many", &sent, true, limited);
            let neighbour = knock(&at(platform, number + 50), None).await;
            let free = neighbour.reason() != "RATE_LIMITED";
            table.same("a client at an address of its own", "no such header", true, free);
        }
        let log = std::fs::read_to_string(platform.stack.log_of("access")).unwrap();
        table.same(
            "a claimed address in the access log",
            "203.0.…",
            false,
            log.contains("\"203.0."),
        );
        table.end();
    });
}

/// Loopback is a whole network: a client at an address of its own.
fn at(platform: &Platform, host: u8) -> Client {
    platform.anonymous().at_address(IpAddr::from([127, 0, 9, host]))
}

async fn knock(client: &Client, claim: Option<(&str, String)>) -> Answer {
    let request = client.request(Method::POST, "/v1/auth/logout");
    let request = claim.into_iter().fold(request, |r, (name, value)| r.header(name, value));
    send(request.json(&json!({"refresh_token": "made-up"}))).await
}
