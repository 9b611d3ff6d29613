//! More comes than can be done.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::{FuturesUnordered, StreamExt};
use testkit::{Platform, eventually, reason};
use tokio::sync::Semaphore;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use crate::callee::{Callee, Client};
use crate::measured::{Measured, recorder};

const AT_ONCE: u32 = 4;
const CALLS: usize = 40;

#[tokio::test]
async fn what_was_taken_on_is_done_and_the_rest_is_told_to_come_back() {
    let recorder = recorder();
    let (measured, _recording) = Measured::by(&recorder);
    let (working, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let done = Arc::new(Semaphore::new(0));
    let callee = Callee::new({
        let (working, most, done) = (working.clone(), most.clone(), done.clone());
        move |_, _| {
            let (working, most, done) = (working.clone(), most.clone(), done.clone());
            async move {
                most.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                done.acquire().await.unwrap().forget();
                working.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
        }
    });
    let platform = Platform::start().await;
    let mut host = platform.host("cart");
    host.server.load.max_in_flight = AT_ONCE;
    host.server.load.max_queue_ms = 50;
    let running = callee.serve(&platform, "cart", &host).await;
    let client = Client::of(&platform, running.addr);

    let mut answers: FuturesUnordered<_> = (0..CALLS).map(|_| client.capture()).collect();
    // Nobody is done yet: these are answered although all places are taken.
    for _ in 0..CALLS - AT_ONCE as usize {
        let status = answers.next().await.unwrap().expect_err("one too many");
        assert_eq!((status.code(), &*reason(&status)), (Code::ResourceExhausted, "OVERLOADED"));
        let wait = status.get_details_retry_info().and_then(|info| info.retry_delay).unwrap();
        assert!((500..=1_500).contains(&wait.as_millis()), "{wait:?}");
        let seconds = status.metadata().get("retry-after").expect("for those who call by REST");
        assert!(["1", "2"].contains(&seconds.to_str().unwrap()), "{seconds:?}");
    }
    assert_eq!(working.load(Ordering::SeqCst), AT_ONCE as usize, "the places are in use");
    let method = r#"{rpc_method="stoa.payments.v1.CheckoutPaymentService/Capture"}"#;
    let shed = measured.value(&format!("rpc_server_shed_total{method}"));
    assert_eq!(shed, Some((CALLS - AT_ONCE as usize) as f64));
    assert_eq!(measured.value("rpc_server_in_flight"), Some(f64::from(AT_ONCE)));
    let healthy = HealthClient::new(client.channel()).check(HealthCheckRequest::default()).await;
    healthy.expect("who asks for our health is not refused");

    done.add_permits(CALLS);
    while let Some(answer) = answers.next().await {
        answer.expect("what was taken on is done");
    }
    assert_eq!(most.load(Ordering::SeqCst), AT_ONCE as usize, "never more at once");
    assert_eq!(callee.calls(), AT_ONCE as usize, "nothing was begun for those refused");
    eventually("there are places again", async || client.capture().await.ok()).await;
}
