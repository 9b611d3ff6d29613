//! Signing keys are replaced under load, and no request fails: neither with a token of
//! the key before nor with one of the new, at the edge or behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use crate::client::{Client, Customer};
use crate::platform::{Platform, alone_on_platform, eventually};
use crate::stoactl::told;

const CUSTOMERS: usize = 4;
/// Requests that are answered before a rotation, and after the new key has begun.
const AROUND: usize = 100;

/// The key that signs tokens now.
async fn signing_key(platform: &Platform) -> String {
    let keys = platform.admin.client.get("/v1/signing-keys").await.ok();
    let keys = keys["keys"].as_array().unwrap();
    let signing = keys.iter().find(|key| key["state"] == "SIGNING_KEY_STATE_SIGNING").unwrap();
    signing["kid"].as_str().unwrap().to_owned()
}

#[test]
fn keys_are_rotated_under_load_and_no_request_fails() {
    alone_on_platform(async |platform| {
        eventually("no rotation is under way", async || {
            let keys = platform.admin.client.get("/v1/signing-keys").await.ok();
            (keys["keys"][0]["state"] == "SIGNING_KEY_STATE_SIGNING").then_some(())
        })
        .await;
        let before = signing_key(&platform).await;
        let (answered, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let mut customers = Vec::new();
        for _ in 0..CUSTOMERS {
            let customer = platform.anonymous().register().await;
            let anonymous = platform.anonymous();
            customers.push(tokio::spawn(use_the_shop(
                anonymous,
                customer,
                answered.clone(),
                over.clone(),
            )));
        }
        let more = async |count: usize| {
            let so_far = answered.load(Ordering::SeqCst);
            eventually("customers are answered", async || {
                (answered.load(Ordering::SeqCst) >= so_far + count).then_some(())
            })
            .await;
        };
        more(AROUND).await;
        told(&platform, &["keys", "rotate", "--why", "an exercise"]).await;
        eventually("the new key signs", async || {
            (signing_key(&platform).await != before).then_some(())
        })
        .await;
        more(AROUND).await;
        over.store(true, Ordering::SeqCst);
        for customer in customers {
            customer.await.expect("no request of this customer fails");
        }
        let list = told(&platform, &["keys", "list"]).await;
        assert!(list.contains("retiring") && list.contains(&before), "{list}");
    });
}

/// Signs in now and then, with an old and a new token in turn between.
async fn use_the_shop(
    anonymous: Client,
    customer: Customer,
    answered: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
) {
    let mut oldest = customer.client.clone();
    while !over.load(Ordering::SeqCst) {
        let body = json!({"email": customer.email, "password": customer.password});
        let session = anonymous.post("/v1/auth/login", body).await.ok();
        let newest = anonymous.with_token(session["access_token"].as_str().unwrap());
        for client in [&oldest, &newest] {
            for path in ["/v1/users/me", "/v1/cart", "/v1/orders"] {
                client.get(path).await.ok();
                answered.fetch_add(1, Ordering::SeqCst);
            }
        }
        oldest = newest;
    }
}
