//! Which fields of a body the contract does not know.

use proto::rest::{self, Shape};
use serde_json::{Map, Value};

/// More than these are not listed: the caller has enough to begin with.
const MOST_LISTED: usize = 20;

/// The paths of all fields in the body that the method does not take.
///
/// Answers nothing for a path that is no method's and for a body that is not JSON:
/// the transcoder has its own answer to those.
pub fn unknown(verb: &str, path: &str, body: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let Some(shape) = rest::body_of(verb, path) else { return found };
    if let Ok(value) = serde_json::from_slice(body) {
        walk(shape, &value, "", &mut found);
    }
    found
}

fn walk(shape: &Shape, value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => walk_fields(shape, fields, at, found),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(shape, item, &format!("{at}[{index}]"), found);
            }
        }
        // A scalar where a message belongs is the transcoder's to refuse.
        _ => {}
    }
}

fn walk_fields(shape: &Shape, fields: &Map<String, Value>, at: &str, found: &mut Vec<String>) {
    for (name, value) in fields {
        if found.len() == MOST_LISTED {
            return;
        }
        let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        match shape.field(name) {
            None => found.push(path),
            Some(field) => {
                if let Some(inner) = field.shape() {
                    walk(inner, value, &path, found);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_fields_pass_by_either_name() {
        for body in [r#"{"product_id":"x","quantity":1}"#, r#"{"productId":"x"}"#, "{}", ""] {
            assert!(unknown("POST", "/v1/cart/items", body.as_bytes()).is_empty(), "{body}");
        }
    }

    #[test]
    fn unknown_fields_are_named_by_their_path() {
        let body = br#"{"payment_token":"t","colour":1,"shipping_address":{"street":"x","zip":1}}"#;
        assert_eq!(unknown("POST", "/v1/orders", body), ["colour", "shipping_address.zip"]);
    }

    #[test]
    fn the_body_of_a_method_may_be_one_field_of_its_request() {
        let path = "/v1/products/019a0000-0000-7000-8000-000000000000";
        assert!(unknown("PATCH", path, br#"{"name":"x","price":{"units":"1"}}"#).is_empty());
        assert_eq!(unknown("PATCH", path, br#"{"product":{}}"#), ["product"]);
        assert_eq!(unknown("PATCH", path, br#"{"price":{"cents":1}}"#), ["price.cents"]);
    }

    #[test]
    fn custom_verbs_are_told_apart() {
        let body = br#"{"delta":"1"}"#;
        assert!(unknown("POST", "/v1/products/x/stock:adjust", body).is_empty());
        assert_eq!(unknown("POST", "/v1/orders/x:cancel", body), ["delta"]);
    }

    #[test]
    fn raw_bodies_unknown_paths_and_broken_json_are_left_to_others() {
        let body = br#"{"anything":1}"#;
        assert!(unknown("POST", "/v1/payments/webhooks/sandbox", body).is_empty());
        assert!(unknown("POST", "/v1/nothing", body).is_empty());
        assert!(unknown("POST", "/v1/orders", b"{").is_empty());
    }

    #[test]
    fn a_body_full_of_unknown_fields_is_not_listed_to_its_end() {
        let fields: Vec<String> = (0..100).map(|n| format!("\"f{n}\":1")).collect();
        let body = format!("{{{}}}", fields.join(","));
        assert_eq!(unknown("POST", "/v1/orders", body.as_bytes()).len(), MOST_LISTED);
    }
}
