//! What is made again, when, and how often.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;
use grpc::Problem;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::callee::{Arrivals, Callee, Client, serve};
use crate::measured::{Measured, recorder};

/// UNAVAILABLE as a service of ours answers it, without saying when to come back.
fn unavailable() -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info("DATABASE_UNAVAILABLE", proto::ERROR_DOMAIN, []);
    Status::with_error_details(Code::Unavailable, "no", details)
}

fn pushback(after: Duration) -> Status {
    Problem::exhausted("OVERLOADED", "no", after).into()
}

#[tokio::test]
async fn a_call_that_may_be_repeated_is_made_again_until_it_succeeds() {
    let callee = Callee::new(async |nth, _| if nth < 2 { Err(unavailable()) } else { Ok(()) });
    let (platform, running) = serve(&callee).await;
    Client::of(&platform, running.addr).read().await.expect("the third try succeeds");
    assert_eq!(callee.calls(), 3);
}

#[tokio::test]
async fn a_method_without_a_retry_rule_is_called_once() {
    let callee = Callee::new(async |_, _| Err(unavailable()));
    let (platform, running) = serve(&callee).await;
    let status = Client::of(&platform, running.addr).capture().await.unwrap_err();
    assert_eq!((status.code(), callee.calls()), (Code::Unavailable, 1));
}

#[tokio::test]
async fn when_the_budget_is_spent_the_first_failure_is_the_answer() {
    const CALLS: usize = 60;
    let recorder = recorder();
    let (measured, _recording) = Measured::by(&recorder);
    let callee = Callee::new(async |_, _| Err(unavailable()));
    let (platform, running) = serve(&callee).await;
    let client = Client::of(&platform, running.addr);
    let answers = join_all((0..CALLS).map(|_| client.read())).await;
    assert!(answers.iter().all(|a| a.as_ref().is_err_and(|s| s.code() == Code::Unavailable)));
    // Without a budget it would be two retries for each: 180. The floor of 3 a second
    // for 10 seconds, and a fifth of the calls.
    assert_eq!(callee.calls(), CALLS + 30 + CALLS / 5);
    let spent = r#"rpc_client_retries_total{callee="cart",outcome="budget_exhausted"}"#;
    assert!(measured.value(spent).is_some_and(|count| count > 0.0));
}

#[tokio::test]
async fn nobody_comes_back_before_the_callee_wants() {
    const AFTER: Duration = Duration::from_millis(300);
    let arrivals = Arrivals::default();
    let noted = Arc::clone(&arrivals);
    let callee = Callee::new(move |nth, _| {
        noted.lock().unwrap().push(Instant::now());
        async move { if nth == 0 { Err(pushback(AFTER)) } else { Ok(()) } }
    });
    let (platform, running) = serve(&callee).await;
    Client::of(&platform, running.addr).read().await.expect("the second try succeeds");
    let arrivals = arrivals.lock().unwrap();
    assert!(arrivals[1] - arrivals[0] >= AFTER, "{:?}", arrivals[1] - arrivals[0]);
}

#[tokio::test]
async fn a_pause_that_the_deadline_does_not_allow_is_not_waited_for() {
    let callee = Callee::new(async |_, _| Err(pushback(Duration::from_secs(5))));
    let (platform, running) = serve(&callee).await;
    let began = Instant::now();
    let status = Client::of(&platform, running.addr).read().await.unwrap_err();
    assert_eq!((status.code(), callee.calls()), (Code::ResourceExhausted, 1));
    assert!(began.elapsed() < Duration::from_secs(1), "answered before the deadline");
}

#[tokio::test]
async fn no_try_outlives_the_deadline() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&told);
    let callee = Callee::new(move |_, patience| {
        noted.lock().unwrap().push(patience);
        futures::future::pending()
    });
    let (platform, running) = serve(&callee).await;
    let status = Client::of(&platform, running.addr).read().await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let told = told.lock().unwrap();
    let told: Vec<u64> = told.iter().map(|t| t.trim_end_matches('m').parse().unwrap()).collect();
    assert!(told.len() > 1, "the limit of a try is no reason to give up: {told:?}");
    assert!(told.iter().all(|ms| *ms <= 400), "{told:?}");
    assert!(told.iter().sum::<u64>() <= 1_000, "{told:?}");
}

#[tokio::test]
async fn a_call_whose_deadline_has_passed_is_not_made() {
    let callee = Callee::new(async |_, _| Ok(()));
    let (platform, running) = serve(&callee).await;
    let client = Client::of(&platform, running.addr);
    let status = client.read_within(Some(Duration::ZERO)).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    // The gate takes the time of an answer's way off, so that nothing is left.
    let status = client.read_within(Some(Duration::from_millis(4))).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    client.read().await.expect("with time it is made");
    assert_eq!(callee.calls(), 1);
}
