//! REST and gRPC are one API: the same request has the same outcome either way, and
//! JSON that does not say plainly what it means is refused. All cases are made from
//! the contract; a method for which none can be made fails.

mod abuse;
mod accounts;
pub mod broken;
pub mod call;
mod compare;
pub mod world;

use contract::Method;
pub use e2e::CONTRACT;
use serde_json::json;
use uuid::Uuid;

use crate::platform::{Platform, alone_on_platform};
use abuse::Expected;
use call::{Caller, Failure, Outcome, failure_in, with_headers};
use compare::{masked, masked_text};
use world::{Situation, situation};

/// `google.rpc.Code`.
const INVALID_ARGUMENT: i64 = 3;
const NOT_FOUND: i64 = 5;

fn unary() -> impl Iterator<Item = &'static Method> {
    rest().filter(|method| !method.descriptor.is_server_streaming())
}

fn rest() -> impl Iterator<Item = &'static Method> {
    let external = CONTRACT.external().map(|(_, method)| method);
    external.inspect(|m| assert!(m.http.is_some(), "{} has no REST form", m.path))
}

fn key_for(method: &Method) -> Option<String> {
    method.policy.idempotency_key.then(|| Uuid::now_v7().to_string())
}

/// Both ways, in the same situation.
async fn both(caller: &Caller, method: &Method, situation: &Situation) -> (Outcome, Outcome) {
    let (first, second) = (key_for(method), key_for(method));
    let grpc = caller.grpc(method, situation, first.as_deref()).await;
    (grpc, caller.rest(method, situation, second.as_deref()).await)
}

/// In a situation of its own.
async fn success(
    platform: &Platform,
    caller: &Caller,
    method: &Method,
    over_rest: bool,
) -> Outcome {
    let (situation, key) = (situation(platform, method).await, key_for(method));
    match over_rest {
        true => caller.rest(method, &situation, key.as_deref()).await,
        false => caller.grpc(method, &situation, key.as_deref()).await,
    }
}

#[test]
fn parity_of_successes() {
    alone_on_platform(async |platform| {
        let caller = Caller::new(&platform.stack.edge_url());
        let (mut reads, mut writes) = (0, 0);
        for method in unary() {
            let output = method.descriptor.output();
            if method.http.as_ref().is_some_and(|http| http.verb == "GET") {
                let situation = situation(&platform, method).await;
                let (grpc, rest) = both(&caller, method, &situation).await;
                assert!(grpc.is_ok(), "{}: {grpc:?}", method.path);
                assert_eq!(grpc, rest, "{}: gRPC and REST differ", method.path);
                reads += 1;
                continue;
            }
            let grpc = success(&platform, &caller, method, false).await;
            let rest = success(&platform, &caller, method, true).await;
            assert!(grpc.is_ok(), "{}: {grpc:?}", method.path);
            let mask = |outcome: Outcome| outcome.map(|answer| masked(&output, &answer));
            assert_eq!(mask(grpc), mask(rest), "{}: gRPC and REST differ", method.path);
            writes += 1;
        }
        println!("parity: {reads} reads and {writes} writes succeed alike over gRPC and REST");
    });
}

#[test]
fn parity_of_broken_constraints() {
    alone_on_platform(async |platform| {
        let caller = Caller::new(&platform.stack.edge_url());
        let (mut alike, mut only_grpc) = (0, 0);
        for method in unary() {
            let valid = situation(&platform, method).await;
            for broken in broken::all(method, &valid.request) {
                let what = format!("{}: {}", method.path, broken.what);
                let situation = Situation { request: broken.request, ..valid.clone() };
                let key = key_for(method);
                let grpc = caller.grpc(method, &situation, key.as_deref()).await;
                let grpc = grpc.expect_err(&what);
                let found = (grpc.code, grpc.reason.as_str(), grpc.violations.is_empty());
                assert_eq!(found, (INVALID_ARGUMENT, "VALIDATION_FAILED", false), "{what}");
                if !sayable(method, &situation) {
                    only_grpc += 1;
                    continue;
                }
                let rest = caller.rest(method, &situation, key.as_deref()).await;
                assert_eq!(Err(grpc), rest, "{what}: gRPC and REST differ");
                alike += 1;
            }
        }
        println!(
            "parity: {alike} broken constraints are refused alike, {only_grpc} only gRPC can break"
        );
    });
}

/// REST has no words for an empty segment of a path, nor for a body that is one field
/// and not there; the transcoder refuses numbers that are no value of an enum itself.
fn sayable(method: &Method, situation: &Situation) -> bool {
    let http = method.http.as_ref().expect("a REST form");
    let empty = |name: &str| situation.request[name].as_str().unwrap_or_default().is_empty();
    let no_body =
        http.body != "*" && !http.body.is_empty() && situation.request[&http.body].is_null();
    let parameters = situation.request.as_object().into_iter().flatten();
    let odd_enum = http.body.is_empty() && parameters.into_iter().any(|(_, v)| *v == json!(9_999));
    !http.variables().any(empty) && !no_body && !odd_enum
}

#[test]
fn parity_of_missing_resources_and_keys() {
    alone_on_platform(async |platform| {
        let caller = Caller::new(&platform.stack.edge_url());
        let (mut missing, mut keyless) = (0, 0);
        for method in unary() {
            let valid = situation(&platform, method).await;
            for (field, resource) in method.resources().unwrap() {
                let mut situation = valid.clone();
                let nobody = json!("019a0000-0000-7000-8000-00000000dead");
                let value =
                    if resource.kind == "payment_provider" { json!("nobody") } else { nobody };
                situation.request[field.name()] = value;
                let (grpc, rest) = both(&caller, method, &situation).await;
                let output = method.descriptor.output();
                let mask =
                    |o: Outcome| o.map(|answer| masked(&output, &answer)).map_err(masked_failure);
                let (grpc, rest) = (mask(grpc), mask(rest));
                assert_eq!(grpc, rest, "{}: gRPC and REST differ", method.path);
                // What is not there need not be an error: no stock, nothing to take out.
                missing += u32::from(grpc.is_err_and(|failure| failure.code == NOT_FOUND));
            }
            if method.policy.idempotency_key {
                let grpc = caller.grpc(method, &valid, None).await;
                let rest = caller.rest(method, &valid, None).await;
                assert_eq!(grpc, rest, "{}: gRPC and REST differ", method.path);
                assert_eq!(grpc.unwrap_err().reason, "IDEMPOTENCY_KEY_MISSING", "{}", method.path);
                keyless += 1;
            }
        }
        println!(
            "parity: {missing} resources that do not exist, {keyless} missing keys told alike"
        );
    });
}

fn masked_failure(failure: Failure) -> Failure {
    Failure { message: masked_text(&failure.message), ..failure }
}

#[test]
fn parity_of_spellings() {
    alone_on_platform(async |platform| {
        let caller = Caller::new(&platform.stack.edge_url());
        let mut count = 0;
        for method in unary() {
            let situation = situation(&platform, method).await;
            let key = key_for(method);
            let request = abuse::in_camel_case(&caller, method, &situation.request);
            let answer = with_headers(request, &situation, key.as_deref()).send().await.unwrap();
            let (status, text) = (answer.status(), answer.text().await.unwrap());
            assert!(status.is_success(), "{} in camelCase: {status} {text}", method.path);
            count += 1;
        }
        println!("parity: {count} methods take camelCase as they take snake_case");
    });
}

#[test]
fn parity_of_refusals_of_unclear_requests() {
    alone_on_platform(async |platform| {
        let caller = Caller::new(&platform.stack.edge_url());
        let mut counts = std::collections::BTreeMap::<u16, u32>::new();
        for method in rest() {
            let situation = situation(&platform, method).await;
            let key = key_for(method);
            for case in abuse::all(&caller, method, &situation.request) {
                let what = format!("{}: {}", method.path, case.what);
                let request = with_headers(case.request, &situation, key.as_deref());
                let status = refused(request, case.expected, &what).await;
                *counts.entry(status).or_default() += 1;
            }
            untouched(&platform, &caller, method, &situation).await;
        }
        let total: u32 = counts.values().sum();
        println!("parity: {total} unclear requests are refused without effect: {counts:?}");
    });
}

async fn refused(request: reqwest::RequestBuilder, expected: Expected, what: &str) -> u16 {
    let answer = request.send().await.unwrap_or_else(|e| panic!("{what}: {e}"));
    let status = answer.status().as_u16();
    let json = answer.headers().get("content-type").is_some_and(|t| t == "application/json");
    let text = answer.text().await.unwrap();
    assert_eq!(status, expected.status, "{what}: {text}");
    let body = serde_json::from_str(&text).unwrap_or_default();
    let failure = failure_in(&body).filter(|f| json && !f.reason.is_empty());
    let failure = failure.unwrap_or_else(|| panic!("{what}: no google.rpc.Status: {text}"));
    if let Some(reason) = expected.reason {
        assert_eq!(failure.reason, reason, "{what}: {text}");
    }
    status
}

/// After all that was refused, the valid request succeeds and answers what it answers
/// where nothing was refused before.
async fn untouched(platform: &Platform, caller: &Caller, method: &Method, situation: &Situation) {
    if method.descriptor.is_server_streaming() {
        return;
    }
    let output = method.descriptor.output();
    let after = caller.rest(method, situation, key_for(method).as_deref()).await;
    let fresh = success(platform, caller, method, true).await;
    let mask = |outcome: Outcome| outcome.map(|answer| masked(&output, &answer));
    assert!(after.is_ok(), "{}: {after:?}", method.path);
    // The same lists for everybody; others have been added to them.
    if ["/ListUsers", "/ListCategories", "/ListSagas"].iter().any(|l| method.path.ends_with(l)) {
        return;
    }
    assert_eq!(mask(after), mask(fresh), "{}: something refused had an effect", method.path);
}
