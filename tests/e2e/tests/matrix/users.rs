//! Users as the matrix tries them: real ones, and tokens that are wrong in one way each.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grpc::Claims;
use serde_json::json;
use stack::Stack;

use e2e::signer::{Signer, claims_in, payload};
use e2e::world::{ENTITLEMENTS, People};

/// What a token is worth.
pub enum Standing {
    /// There is no token.
    Nobody,
    /// A good token with these roles, and these permissions beside them.
    Holds { roles: Vec<String>, entitlements: Vec<String> },
    /// A token that must not be believed, whatever it says.
    Invalid,
}

/// A column of the matrix.
pub struct User {
    pub name: &'static str,
    pub token: Option<String>,
    pub standing: Standing,
}

impl User {
    fn good(name: &'static str, token: String, roles: &[&str]) -> Self {
        Self::entitled(name, token, roles, &[])
    }

    fn entitled(name: &'static str, token: String, roles: &[&str], entitlements: &[&str]) -> Self {
        let strings = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let (roles, entitlements) = (strings(roles), strings(entitlements));
        Self { name, token: Some(token), standing: Standing::Holds { roles, entitlements } }
    }

    fn bad(name: &'static str, token: String) -> Self {
        Self { name, token: Some(token), standing: Standing::Invalid }
    }
}

/// What no contract has: all of something, another spelling, a role in the wrong place.
const MADE_UP: [&str; 7] = [
    "*",
    "payments:*",
    "Payments:refund",
    "users:write ",
    "payments:refund,users:write",
    "admin",
    "",
];

/// Everybody. Bad tokens all claim to be the administrator's: who believes one of them
/// lets everything through.
pub async fn all(stack: &Stack, people: &People) -> Vec<User> {
    let platform = Signer::of(stack).await;
    let real = claims_in(&people.admin);
    let hour = 3_600;
    let mut unknown = claims_in(&people.customer);
    unknown.roles = vec!["superuser".to_owned(), "Admin".to_owned(), "admin ".to_owned()];
    let roleless = Claims { roles: Vec::new(), ..unknown.clone() };
    let strings = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let made_up = Claims { entitlements: strings(&MADE_UP), ..roleless.clone() };
    let expired = Claims { iat: real.iat - hour, exp: real.iat - hour / 2, ..real.clone() };
    let foreign = Claims { iss: "https://shop.example.com".to_owned(), ..real.clone() };
    let elsewhere = Claims { aud: "warehouse".to_owned(), ..real.clone() };
    vec![
        User { name: "anonymous", token: None, standing: Standing::Nobody },
        User::good("customer", people.customer.clone(), &["customer"]),
        User::good("other customer", people.other.clone(), &["customer"]),
        User::good("manager", people.manager.clone(), &["manager"]),
        User::good("admin", people.admin.clone(), &["admin"]),
        User::good("unknown roles", platform.sign(&unknown), &["superuser", "Admin", "admin "]),
        User::good("no roles", platform.sign(&roleless), &[]),
        User::entitled("custom role", people.entitled.clone(), &[], &ENTITLEMENTS),
        User::entitled("made-up permissions", platform.sign(&made_up), &[], &MADE_UP),
        User::bad("expired", platform.sign(&expired)),
        User::bad("foreign issuer", platform.sign(&foreign)),
        User::bad("wrong audience", platform.sign(&elsewhere)),
        User::bad("alg none", with_alg_none(&real)),
        User::bad("HS256, public key", platform.sign_with_public_key(&real)),
        User::bad("wrong key, right kid", platform.impostor().sign(&real)),
        User::bad("unknown kid", platform.under("made-up").sign(&real)),
        User::bad("tampered", tampered(&people.customer)),
    ]
}

fn with_alg_none(claims: &Claims) -> String {
    let header = json!({"alg": "none", "typ": "JWT"});
    let claims = serde_json::to_value(claims).unwrap();
    let [header, claims] = [header, claims].map(|v| URL_SAFE_NO_PAD.encode(v.to_string()));
    format!("{header}.{claims}.")
}

/// A customer's token whose owner has written another role into it.
fn tampered(token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let mut claims = payload(token);
    claims["roles"] = json!(["admin"]);
    format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2])
}
