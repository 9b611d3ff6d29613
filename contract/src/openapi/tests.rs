use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::*;

fn contract() -> Contract {
    crate::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).expect("the contract is sound")
}

fn documented() -> Value {
    document(&contract()).expect("a document")
}

#[test]
fn the_document_is_the_same_every_time() {
    assert_eq!(documented().to_string(), documented().to_string());
}

#[test]
fn every_external_method_is_an_operation_and_no_other() {
    let document = documented();
    let paths = document["paths"].as_object().expect("paths");
    let verbs = paths.values().flat_map(|item| item.as_object().expect("verbs").values());
    let found: BTreeSet<String> =
        verbs.map(|o| o["x-stoa-method"].as_str().expect("a path").to_owned()).collect();
    let contract = contract();
    let wanted: BTreeSet<String> = contract.external().map(|(_, m)| m.path.clone()).collect();
    assert_eq!(found, wanted);
}

#[test]
fn every_reference_has_its_target() {
    fn walk(value: &Value, document: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(target) = fields.get("$ref").and_then(Value::as_str) {
                    let pointer = target.trim_start_matches('#');
                    assert!(document.pointer(pointer).is_some(), "{target}");
                }
                fields.values().for_each(|v| walk(v, document));
            }
            Value::Array(items) => items.iter().for_each(|v| walk(v, document)),
            _ => {}
        }
    }
    let document = documented();
    walk(&document, &document);
}

#[test]
fn an_operation_says_what_the_contract_says() {
    let document = documented();
    let place = &document["paths"]["/v1/orders"]["post"];
    assert_eq!(place["x-stoa-permission"], "orders:create");
    assert_eq!(place["security"], json!([{"bearer": []}]));
    assert_eq!(place["x-stoa-deadline-ms"], 10_000);
    assert_eq!(place["parameters"][0]["$ref"], "#/components/parameters/IdempotencyKey");
    let refused = &place["responses"]["400"]["content"]["application/json"]["examples"];
    assert_eq!(refused["CART_EMPTY"]["value"]["code"], 9);
    let watch = &document["paths"]["/v1/orders/{order_id}:watch"]["get"];
    assert_eq!(watch["x-stoa-stream"], true);
}

#[test]
fn constraints_become_bounds_and_what_must_be_there_is_required() {
    let document = documented();
    let add = &document["components"]["schemas"]["AddItemRequest"];
    assert_eq!(add["required"], json!(["product_id", "quantity"]));
    assert_eq!(add["properties"]["quantity"]["maximum"], 99);
    assert_eq!(add["properties"]["product_id"]["format"], "uuid");
    assert_eq!(add["additionalProperties"], false);
    let answered = &document["components"]["schemas"]["Product"];
    assert!(answered["additionalProperties"].is_null());
    assert!(answered["required"].as_array().is_some_and(|r| !r.contains(&json!("price"))));
}

#[test]
fn what_stands_in_the_path_does_not_stand_in_the_body() {
    let document = documented();
    let adjust = &document["components"]["schemas"]["AdjustStockRequest"];
    assert!(adjust["properties"]["product_id"].is_null());
    assert!(adjust["properties"]["delta"].is_object());
    let update = &document["paths"]["/v1/products/{product_id}"]["patch"]["parameters"];
    let names: Vec<_> = update.as_array().expect("a list").iter().map(|p| &p["name"]).collect();
    assert_eq!(names, ["product_id", "update_mask"]);
}
