#![allow(clippy::unwrap_used)]

use super::*;

fn check(message: &str, body: &str) -> Result<(), Refusal> {
    super::check(proto::rest::shape(message).unwrap(), body.as_bytes())
}

fn refused(message: &str, body: &str) -> (&'static str, Vec<String>) {
    let refusal = check(message, body).unwrap_err();
    (refusal.reason, refusal.violations.into_iter().map(|(path, _)| path).collect())
}

const ITEM: &str = "stoa.cart.v1.AddItemRequest";
const ORDER: &str = "stoa.orders.v1.PlaceOrderRequest";
const ROLES: &str = "stoa.identity.v1.SetUserRolesRequest";
const PRODUCTS: &str = "stoa.catalog.v1.ListProductsRequest";
const PREFERENCES: &str = "stoa.notifications.v1.Preferences";

#[test]
fn known_fields_pass_by_either_name_and_null_is_no_value() {
    for body in [
        r#"{"product_id":"x","quantity":1}"#,
        r#"{"productId":"x", "quantity":"1"}"#,
        r#"{"quantity":1.0}"#,
        r#"{"product_id":null}"#,
        " {} \n",
    ] {
        assert_eq!(check(ITEM, body), Ok(()), "{body}");
    }
    assert_eq!(check(ROLES, r#"{"roles":["a","b"]}"#), Ok(()));
    assert_eq!(check(PRODUCTS, r#"{"order_by":"PRODUCT_ORDER_NAME"}"#), Ok(()));
    assert_eq!(check(PRODUCTS, r#"{"order_by":2,"min_price_minor":"5"}"#), Ok(()));
}

#[test]
fn unknown_fields_are_named_by_their_path() {
    let body = r#"{"payment_token":"t","colour":[{}],"shipping_address":{"street":"x","zip":1}}"#;
    let expected = ["colour", "shipping_address.zip"].map(str::to_owned);
    assert_eq!(refused(ORDER, body), ("FIELD_UNKNOWN", expected.into()));
}

#[test]
fn a_field_given_twice_is_named_by_whichever_names() {
    for (body, path) in [
        (r#"{"quantity":1,"quantity":1}"#, "quantity"),
        (r#"{"product_id":"x","productId":"x"}"#, "productId"),
        (r#"{"quantity":null,"quantity":1}"#, "quantity"),
        ("{\"quantity\":1,\"quant\\u0069ty\":2}", "quantity"),
    ] {
        assert_eq!(refused(ITEM, body), ("FIELD_DUPLICATE", vec![path.to_owned()]), "{body}");
    }
    let body = r#"{"shipping_address":{"postal_code":"a","city":"b","postalCode":"c"}}"#;
    let path = "shipping_address.postalCode".to_owned();
    assert_eq!(refused(ORDER, body), ("FIELD_DUPLICATE", vec![path]));
}

#[test]
fn a_value_that_the_field_cannot_hold_is_named() {
    for (message, body, path) in [
        (ITEM, r#"{"product_id":7}"#, "product_id"),
        (ITEM, r#"{"product_id":["x"]}"#, "product_id"),
        (ITEM, r#"{"product_id":{}}"#, "product_id"),
        (ITEM, r#"{"quantity":"many"}"#, "quantity"),
        (ITEM, r#"{"quantity":1.5}"#, "quantity"),
        (ITEM, r#"{"quantity":1e99}"#, "quantity"),
        (ITEM, r#"{"quantity":2147483648}"#, "quantity"),
        (ITEM, r#"{"quantity":true}"#, "quantity"),
        (ITEM, r#"{"quantity":" 1"}"#, "quantity"),
        (ORDER, r#"{"shipping_address":"here"}"#, "shipping_address"),
        (ORDER, r#"{"shipping_address":[]}"#, "shipping_address"),
        (ROLES, r#"{"roles":"admin"}"#, "roles"),
        (ROLES, r#"{"roles":["a",1]}"#, "roles[1]"),
        (ROLES, r#"{"roles":[null]}"#, "roles[0]"),
        (PRODUCTS, r#"{"order_by":"product_order_name"}"#, "order_by"),
        (PREFERENCES, r#"{"email":"true"}"#, "email"),
        (PREFERENCES, r#"{"email":1}"#, "email"),
    ] {
        assert_eq!(refused(message, body), ("FIELD_MALFORMED", vec![path.to_owned()]), "{body}");
    }
}

#[test]
fn text_that_is_no_json_object_is_refused_without_being_repeated() {
    let deep = format!("{{\"shipping_address\":{}", "{\"a\":".repeat(5_000));
    let nan = r#"{"quantity":NaN}"#;
    let bom = "\u{feff}{}";
    for body in
        ["", "{", "null", "[]", "7", "\"x\"", "{} {}", "{'a':1}", "{\"a\":1,}", nan, bom, &deep]
    {
        let refusal = check(ORDER, body).unwrap_err();
        assert_eq!((refusal.status, refusal.reason), (400, "REQUEST_MALFORMED"), "{body:.20}");
    }
    let shape = proto::rest::shape(ITEM).unwrap();
    for body in [&b"{\"product_id\":\"\xff\"}"[..], b"{\"product_id\":\"\\ud800\"}"] {
        assert!(super::check(shape, body).is_err());
    }
    let secret = check(ORDER, r#"{"payment_token":"tok_secret" oops}"#).unwrap_err();
    assert!(!secret.to_string().contains("tok_secret"), "{secret}");
}

#[test]
fn a_body_full_of_unknown_fields_is_not_listed_to_its_end() {
    let fields: Vec<String> = (0..100).map(|n| format!("\"f{n}\":1")).collect();
    let body = format!("{{{}}}", fields.join(","));
    assert_eq!(refused(ORDER, &body).1.len(), MOST_LISTED);
}
