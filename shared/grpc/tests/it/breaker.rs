//! A callee that is gone is left alone, and found again when it is back.

use std::time::{Duration, Instant};

use testkit::{Platform, eventually, reason};
use tonic::Code;
use tonic_types::StatusExt;

use crate::callee::{Callee, Client};
use crate::measured::{Measured, recorder};

#[tokio::test]
async fn a_callee_that_is_gone_is_left_alone_and_found_again_when_it_is_back() {
    let recorder = recorder();
    let (measured, _recording) = Measured::by(&recorder);
    let state = || measured.value(r#"rpc_client_breaker_state{callee="cart"}"#);
    let platform = Platform::start().await;
    let callee = Callee::new(async |_, _| Ok(()));
    let mut host = platform.host("cart");
    let running = callee.serve(&platform, "cart", &host).await;
    host.server.grpc_addr = running.addr;
    let client = Client::of(&platform, running.addr);
    client.capture().await.expect("it is there");
    assert_eq!(state(), Some(0.0), "closed");
    running.end().await;

    let refused = eventually("calls are refused", async || {
        let status = client.capture().await.expect_err("nobody is there");
        (reason(&status) == "CIRCUIT_OPEN").then_some(status)
    })
    .await;
    assert_eq!(refused.code(), Code::Unavailable);
    let info = refused.get_details_retry_info().expect("when to come back");
    assert!(info.retry_delay.unwrap() <= Duration::from_secs(1), "{info:?}");
    assert_eq!(state(), Some(2.0), "open");
    let refused = measured.value(r#"rpc_client_refused_total{callee="cart"}"#);
    assert!(refused.is_some_and(|refused| refused > 0.0), "{refused:?}");

    let running = callee.serve(&platform, "cart", &host).await;
    let back = Instant::now();
    eventually("probes find it", async || client.capture().await.ok()).await;
    let calls = callee.calls();
    assert!(back.elapsed() < Duration::from_secs(5), "open for {:?}", back.elapsed());
    for _ in 0..20 {
        client.capture().await.expect("all calls go through again");
    }
    assert_eq!(callee.calls(), calls + 20);
    assert_eq!(state(), Some(0.0), "closed again");
    running.end().await;
}

#[tokio::test]
async fn a_callee_that_hangs_is_left_alone_before_all_its_callers_hang_too() {
    let platform = Platform::start().await;
    let callee = Callee::new(|_, _| futures::future::pending());
    let running = callee.serve(&platform, "cart", &platform.host("cart")).await;
    let client = Client::of(&platform, running.addr);
    let hanging = (0..10).map(|_| client.read());
    let late = futures::future::join_all(hanging).await;
    assert!(late.iter().all(|a| a.as_ref().is_err_and(|s| s.code() == Code::DeadlineExceeded)));
    let began = Instant::now();
    let status = client.read().await.expect_err("it hangs");
    assert_eq!(reason(&status), "CIRCUIT_OPEN");
    assert!(began.elapsed() < Duration::from_millis(300), "nobody waited");
}
