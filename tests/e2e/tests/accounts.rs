//! Accounts and tokens through the edge.

use reqwest::StatusCode;
use serde_json::json;

use crate::platform::with_platform;

#[test]
fn a_customer_signs_in_refreshes_and_signs_out() {
    with_platform(async |platform| {
        let client = platform.anonymous();
        let customer = client.register().await;
        let body = json!({"email": customer.email.to_uppercase(), "password": customer.password});
        let session = client.post("/v1/auth/login", body).await.ok();
        assert_eq!(
            (&session["token_type"], &session["expires_in"]),
            (&json!("Bearer"), &json!(900))
        );
        let refresh = json!({"refresh_token": session["refresh_token"]});
        let renewed = client.post("/v1/auth/refresh", refresh.clone()).await.ok();
        let reused = client.post("/v1/auth/refresh", refresh).await;
        assert_eq!(
            (reused.status, reused.reason()),
            (StatusCode::UNAUTHORIZED, "REFRESH_TOKEN_INVALID")
        );
        let family = json!({"refresh_token": renewed["refresh_token"]});
        let revoked = client.post("/v1/auth/refresh", family).await;
        assert_eq!(revoked.reason(), "REFRESH_TOKEN_INVALID", "reuse revokes the family");
    });
}

#[test]
fn the_public_keys_are_ec_keys_for_es256() {
    with_platform(async |platform| {
        let keys = platform.anonymous().get("/.well-known/jwks.json").await.ok();
        let key = &keys["keys"][0];
        assert_eq!(
            (&key["kty"], &key["crv"], &key["alg"]),
            (&json!("EC"), &json!("P-256"), &json!("ES256"))
        );
        assert!(key["d"].is_null(), "the private half stays at home");
    });
}

#[test]
fn wrong_passwords_and_unknown_accounts_answer_alike() {
    with_platform(async |platform| {
        let client = platform.anonymous();
        let customer = client.register().await;
        let wrong = json!({"email": customer.email, "password": "not the password"});
        let unknown = json!({"email": "nobody@example.com", "password": "not the password"});
        let (wrong, unknown) = (
            client.post("/v1/auth/login", wrong).await,
            client.post("/v1/auth/login", unknown).await,
        );
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        assert_eq!(wrong.text, unknown.text);
    });
}

#[test]
fn an_account_is_shown_and_renamed() {
    with_platform(async |platform| {
        let customer = platform.anonymous().register().await;
        let renamed =
            customer.client.patch("/v1/users/me", json!({"display_name": "Countess"})).await.ok();
        assert_eq!(renamed["display_name"], "Countess");
        let me = customer.client.get("/v1/users/me").await.ok();
        assert_eq!(
            (&me["display_name"], &me["email"]),
            (&json!("Countess"), &json!(customer.email))
        );
        assert_eq!(me["roles"], json!(["customer"]));
    });
}

#[test]
fn an_admin_makes_a_manager_who_may_then_write_the_catalogue() {
    with_platform(async |platform| {
        let customer = platform.anonymous().register().await;
        let id = customer.session["user"]["user_id"].as_str().unwrap();
        let body = json!({"roles": ["manager"]});
        let path = format!("/v1/users/{id}/roles");
        let request = platform.admin.client.request(reqwest::Method::PUT, &path).json(&body);
        crate::client::send(request).await.ok();
        let body = json!({"email": customer.email, "password": customer.password});
        let session = platform.anonymous().post("/v1/auth/login", body).await.ok();
        let manager = platform.anonymous().with_token(session["access_token"].as_str().unwrap());
        manager.post("/v1/products", crate::client::product(100)).await.ok();
        assert_eq!(manager.get("/v1/users").await.status, StatusCode::FORBIDDEN);
    });
}
