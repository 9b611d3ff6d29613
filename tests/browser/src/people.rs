//! An application that signs people in here, and people who sign in.

use e2e::client::Customer;
use e2e::platform::Platform;
use serde_json::json;
use totp_rs::{Algorithm, Secret, TOTP};

/// Where the application takes people back; the browser answers for it.
pub const CALLBACK: &str = "http://localhost:3999/callback";
pub const GOODBYE: &str = "http://localhost:3999/goodbye";

/// Registers the application; answers its id.
pub async fn application(platform: &Platform) -> String {
    let client = json!({
        "display_name": "Gift finder",
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [GOODBYE],
        "confidential": true,
    });
    let made = platform.admin.client.post("/v1/oauth-clients", client).await.ok();
    made["client"]["client_id"].as_str().expect("a client id").to_owned()
}

/// A customer with a second factor, and the key of it in base 32.
pub async fn careful(platform: &Platform) -> (Customer, String) {
    let customer = platform.anonymous().register().await;
    let body = json!({ "current_password": customer.password });
    let begun = customer.client.post("/v1/users/me/second-factor:enroll", body).await.ok();
    let key = begun["secret"].as_str().expect("a secret").to_owned();
    let bytes = Secret::Encoded(key.clone()).to_bytes().expect("base 32");
    let (issuer, account) = (Some("Stoa".to_owned()), "somebody".to_owned());
    let app = TOTP::new(Algorithm::SHA1, 6, 0, 30, bytes, issuer, account).expect("a good key");
    let confirm = json!({ "code": app.generate_current().expect("a clock") });
    customer.client.post("/v1/users/me/second-factor:confirm", confirm).await.ok();
    (customer, key)
}
