//! How a process ends: it says so, waits until that is noticed, takes nothing new, and
//! finishes what it has begun.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use testkit::{Platform, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tonic::Status;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::callee::{Callee, Client, Running};

/// The first line of what the admin port answers.
async fn readyz(running: &Running) -> String {
    let mut stream = TcpStream::connect(running.admin).await.expect("the admin port is open");
    let request = b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn it_says_that_it_ends_then_takes_nothing_new_and_finishes_what_it_began() {
    let (platform, done) = (Platform::start().await, Arc::new(Semaphore::new(0)));
    let finish = Arc::clone(&done);
    let callee = Callee::new(move |nth, _| {
        let done = Arc::clone(&done);
        async move {
            if nth == 0 {
                done.acquire().await.unwrap().forget();
            }
            Ok(())
        }
    });
    let mut host = platform.host("cart");
    host.runtime.drain_notice_ms = 1_500;
    let running = callee.serve(&platform, "cart", &host).await;
    let client = Client::of(&platform, running.addr);
    let health = async || {
        let check = HealthClient::new(client.channel()).check(HealthCheckRequest::default()).await;
        Some(check.ok()?.into_inner().status())
    };
    eventually("it serves", async || health().await.filter(|s| *s == ServingStatus::Serving)).await;
    let begun = tokio::spawn({
        let client = client.clone();
        async move { client.capture().await }
    });
    eventually("a request is in flight", async || (callee.calls() == 1).then_some(())).await;

    running.asked.cancel();
    eventually("it says so", async || health().await.filter(|s| *s == ServingStatus::NotServing))
        .await;
    assert!(readyz(&running).await.ends_with("503 Service Unavailable"));
    // Who has not noticed yet, also by a new connection, is still served.
    Client::of(&platform, running.addr).capture().await.expect("it goes on during the notice");

    eventually("the door is closed", async || TcpStream::connect(running.addr).await.err()).await;
    assert!(readyz(&running).await.ends_with("503 Service Unavailable"), "probes go on");
    assert!(!begun.is_finished() && !running.ended.is_finished(), "it waits for the request");
    finish.add_permits(1);
    begun.await.unwrap().expect("what was begun is finished");
    running.ended.await.unwrap().expect("it ends well");
}

/// Two processes on one port, one of them restarted after the other: the same as two
/// replicas behind one address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_in_turn_lose_no_call_not_even_of_a_method_that_is_never_retried() {
    const RESTARTS: usize = 6;
    let platform = Platform::start().await;
    let callee = Callee::new(async |_, _| {
        tokio::task::yield_now().await;
        Ok(())
    });
    let mut host = platform.host("cart");
    host.server.reuse_port = true;
    let mut running = callee.serve(&platform, "cart", &host).await;
    host.server.grpc_addr = running.addr;

    let over = Arc::new(AtomicBool::new(false));
    let callers = (0..8).map(|_| {
        let (client, over) = (Client::of(&platform, running.addr), Arc::clone(&over));
        tokio::spawn(async move {
            let mut calls = 0_usize;
            while !over.load(Ordering::SeqCst) {
                client.capture().await?;
                calls += 1;
            }
            Ok::<_, Status>(calls)
        })
    });
    let callers: Vec<_> = callers.collect();
    for _ in 0..RESTARTS {
        let before = callee.calls();
        eventually("calls go on", async || (callee.calls() > before + 100).then_some(())).await;
        let next = callee.serve(&platform, "cart", &host).await;
        tokio::time::timeout(Duration::from_secs(5), running.end()).await.expect("it drains");
        running = next;
    }
    over.store(true, Ordering::SeqCst);
    let counted = join_all(callers).await.into_iter();
    let made: usize = counted.map(|c| c.unwrap().expect("no call fails")).sum();
    assert_eq!(made, callee.calls(), "each was made once");
    assert!(made > RESTARTS * 100);
}
