//! The catalogue: searching as anybody, changing as an admin.

use reqwest::StatusCode;
use serde_json::json;

use crate::client::{cents, product};
use crate::platform::with_platform;

#[test]
fn anybody_finds_a_product_by_its_words() {
    with_platform(async |platform| {
        let id = platform.admin.product(4_950, 1).await;
        let shown = platform.anonymous().get(&format!("/v1/products/{id}")).await.ok();
        assert_eq!(cents(&shown["price"]), 4_950);
        let sku = shown["sku"].as_str().unwrap();
        let path = format!("/v1/products?q=kettle%20{sku}&page_size=20");
        let found = platform.anonymous().get(&path).await.ok();
        assert_eq!(found["products"][0]["product_id"], id.as_str());
        let categories = platform.anonymous().get("/v1/categories").await.ok();
        assert_eq!(categories["categories"].as_array().unwrap().len(), 8);
    });
}

#[test]
fn an_admin_creates_changes_and_removes_a_product() {
    with_platform(async |platform| {
        let admin = &platform.admin.client;
        let id = platform.admin.product(100, 0).await;
        let path = format!("/v1/products/{id}");
        let body = json!({"name": "Tea kettle", "description": "ignored"});
        let changed = admin.patch(&format!("{path}?update_mask=name"), body).await.ok();
        assert_eq!(
            (&changed["name"], &changed["description"]),
            (&json!("Tea kettle"), &json!("Boils water."))
        );
        let refused = admin.patch(&format!("{path}?update_mask=colour"), json!({})).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
        admin.delete(&path).await.ok();
        let gone = platform.anonymous().get(&path).await;
        assert_eq!((gone.status, gone.reason()), (StatusCode::NOT_FOUND, "PRODUCT_NOT_FOUND"));
    });
}

#[test]
fn two_products_cannot_share_a_sku() {
    with_platform(async |platform| {
        let body = product(100);
        platform.admin.client.post("/v1/products", body.clone()).await.ok();
        let refused = platform.admin.client.post("/v1/products", body).await;
        assert_eq!((refused.status, refused.reason()), (StatusCode::CONFLICT, "SKU_TAKEN"));
    });
}

#[test]
fn more_stock_than_there_is_cannot_be_taken_away() {
    with_platform(async |platform| {
        let id = platform.admin.product(100, 3).await;
        let body = json!({"delta": "-4", "reason": "lost"});
        let refused =
            platform.admin.client.post_once(&format!("/v1/products/{id}/stock:adjust"), body).await;
        assert_eq!(refused.reason(), "STOCK_INSUFFICIENT");
    });
}
