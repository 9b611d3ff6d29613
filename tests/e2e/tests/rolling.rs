//! Services are replaced under load, as a rolling restart does it: a new process, then
//! SIGTERM to the old one. No request fails.
//!
//! There is one address for each service on one machine, so both processes listen on
//! it for a while (`REUSE_PORT`), as two pods do behind a Service.

use std::fs::{File, read, read_link};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use uuid::Uuid;

use crate::client::{Client, Customer, order};
use crate::platform::{Platform, alone_on_platform, eventually};

pub const ROLLED: [&str; 6] = ["identity", "catalog", "inventory", "cart", "orders", "payments"];

/// The edge asks for a service's health every two seconds.
const SETTINGS: [(&str, &str); 2] = [("REUSE_PORT", "true"), ("DRAIN_NOTICE_MS", "3000")];

pub const SHOPPERS: usize = 6;

/// Requests that are answered between two restarts.
pub const BETWEEN: usize = 50;

#[test]
fn services_replaced_under_load_lose_no_request() {
    alone_on_platform(async |platform| {
        for service in ROLLED {
            platform.stack.kill(service).unwrap();
            platform.stack.restart_with(service, &SETTINGS).unwrap();
        }
        all_found(&platform).await;
        let product = platform.admin.product(2_500, 100_000).await;
        let (answered, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let mut shoppers = Vec::new();
        for _ in 0..SHOPPERS {
            let customer = platform.anonymous().register().await;
            let (product, answered, over) = (product.clone(), answered.clone(), over.clone());
            shoppers.push(tokio::spawn(shop(customer, product, answered, over)));
        }

        let mut successors = Vec::new();
        for service in ROLLED {
            let before = answered.load(Ordering::SeqCst);
            eventually("customers shop", async || {
                (answered.load(Ordering::SeqCst) >= before + BETWEEN).then_some(())
            })
            .await;
            successors.push(replace(&platform, service).await);
        }
        let before = answered.load(Ordering::SeqCst);
        eventually("customers shop on", async || {
            (answered.load(Ordering::SeqCst) >= before + BETWEEN).then_some(())
        })
        .await;
        over.store(true, Ordering::SeqCst);
        let mut orders = 0;
        for shopper in shoppers {
            orders += shopper.await.expect("no request of a customer fails");
        }
        println!("{} requests, {orders} orders", answered.load(Ordering::SeqCst));

        for (service, successor) in ROLLED.into_iter().zip(successors) {
            end(successor).await;
            platform.stack.restart(service).unwrap();
        }
        all_found(&platform).await;
    });
}

/// Fills carts and orders them until it is over; answers how many orders were placed.
pub async fn shop(
    customer: Customer,
    product: String,
    answered: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
) -> usize {
    let client = &customer.client;
    let mut orders = 0;
    while !over.load(Ordering::SeqCst) {
        // None of the writes is ever retried, neither by the edge nor by a service.
        customer.put_in_cart(&product, 1).await;
        let key = Uuid::now_v7().to_string();
        let order = client.post_with_key("/v1/orders", &key, order("tok_visa")).await.ok();
        assert_eq!(order["state"], "ORDER_STATE_CONFIRMED", "{order}");
        let id = order["order_id"].as_str().unwrap();
        for path in [format!("/v1/orders/{id}"), format!("/v1/products/{product}")] {
            client.get(&path).await.ok();
        }
        client.get("/v1/users/me").await.ok();
        answered.fetch_add(5, Ordering::SeqCst);
        orders += 1;
    }
    orders
}

/// Starts a process like the one that runs, and when it is ready ends that one.
async fn replace(platform: &Platform, service: &str) -> Child {
    let old = platform.stack.pid_of(service).expect("it runs");
    let proc = format!("/proc/{old}");
    let environment = read(format!("{proc}/environ")).unwrap();
    let variables = environment
        .split(|byte| *byte == 0)
        .filter_map(|variable| std::str::from_utf8(variable).ok()?.split_once('='));
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let log = platform.stack.log_of(service).with_extension("next.log");
    let log = File::create(log).unwrap();
    let successor = Command::new(read_link(format!("{proc}/exe")).unwrap())
        .env_clear()
        .envs(variables)
        .env("ADMIN_ADDR", free.to_string())
        .current_dir(Path::new(&proc).join("cwd").canonicalize().unwrap())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    eventually(&format!("the next {service} is ready"), async || {
        let answer = reqwest::get(format!("http://{free}/readyz")).await.ok()?;
        answer.status().is_success().then_some(())
    })
    .await;
    terminate(old);
    eventually(&format!("the old {service} ends"), async || {
        (!platform.stack.is_alive(service)).then_some(())
    })
    .await;
    successor
}

fn terminate(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
}

/// It ends by itself, and well.
async fn end(mut process: Child) {
    terminate(process.id().unwrap().try_into().unwrap());
    assert!(process.wait().await.unwrap().success());
}

/// Waits until every service is ready and the edge has noticed.
pub async fn all_found(platform: &Platform) {
    for service in ROLLED {
        platform.ready(service).await;
    }
    let found = async |client: &Client, path: &str| {
        eventually(&format!("the edge finds who serves {path}"), async || {
            client.get(path).await.status.is_success().then_some(())
        })
        .await;
    };
    let product = eventually("a product can be made", async || {
        let body = crate::client::product(100);
        let answer = platform.admin.client.post("/v1/products", body).await;
        answer.status.is_success().then(|| answer.body["product_id"].as_str().unwrap().to_owned())
    })
    .await;
    found(&platform.admin.client, &format!("/v1/products/{product}/stock")).await;
    found(&platform.admin.client, "/v1/users/me").await;
    found(&platform.admin.client, "/v1/cart").await;
    found(&platform.admin.client, "/v1/orders").await;
    // Payments has nothing to read before there is an order.
    let customer = platform.anonymous().register().await;
    eventually("an order can be paid", async || {
        let added =
            serde_json::json!({"product_id": platform.admin.product(100, 9).await, "quantity": 1});
        customer.client.post("/v1/cart/items", added).await;
        let answer = customer.order("tok_visa").await;
        (answer.body["state"] == "ORDER_STATE_CONFIRMED").then_some(())
    })
    .await;
}
