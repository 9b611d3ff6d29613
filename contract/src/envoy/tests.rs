#![allow(clippy::unwrap_used)]

use std::path::Path;

use prost_reflect::DescriptorPool;
use serde_json::Value;

use super::{descriptor, limits, millis, quote, render};
use crate::model::{Contract, Rate};

fn contract() -> Contract {
    crate::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

#[test]
fn the_configuration_is_the_same_every_time() {
    assert_eq!(render(&contract()).unwrap(), render(&contract()).unwrap());
}

#[test]
fn placeholders_are_quoted_but_ports_are_numbers() {
    let yaml = "path: ${ACCESS_LOG}\nport_value: ${EDGE_PORT}\n- ${JWT_AUDIENCE}\nuri: http://x:${EDGE_PORT}/y\n";
    let quoted = "path: '${ACCESS_LOG}'\nport_value: ${EDGE_PORT}\n- '${JWT_AUDIENCE}'\nuri: http://x:${EDGE_PORT}/y\n";
    assert_eq!(quote(yaml), quoted);
}

#[test]
fn durations_keep_their_milliseconds() {
    assert_eq!(millis(10_000), "10s");
    assert_eq!(millis(1_050), "1.050s");
}

#[test]
fn a_bucket_fills_at_the_rate_of_the_contract() {
    for (per_minute, tokens, interval) in [(60, 1, "1s"), (7, 1, "8.571s"), (6000, 10, "0.100s")] {
        let bucket = limits::token_bucket(&Rate { per_minute, burst: 30 });
        assert_eq!(bucket["max_tokens"], 30);
        assert_eq!(bucket["tokens_per_fill"], tokens);
        assert_eq!(bucket["fill_interval"], interval);
    }
}

#[test]
fn without_body_limits_of_their_own_no_method_is_buffered() {
    let contract = contract();
    if contract.external().all(|(_, m)| m.policy.max_body_bytes.is_none()) {
        assert!(limits::body_per_method(&contract).is_none());
    }
}

#[test]
fn a_larger_body_is_let_in_for_its_method_only() {
    let mut contract = contract();
    let large = "/stoa.catalog.v1.CatalogService/CreateProduct";
    for method in contract.services.iter_mut().flat_map(|s| &mut s.methods) {
        method.policy.max_body_bytes = (method.path == large).then_some(1 << 20);
    }
    assert_eq!(limits::largest_body(&contract), 1 << 20);
    assert!(limits::body_per_method(&contract).is_some());
    for (_, method) in contract.external() {
        let limit = limits::body_of_route(&contract, method);
        let bytes = limit.map(|(_, config)| config["buffer"]["max_request_bytes"].clone());
        let expected = (method.path != large).then(|| Value::from(limits::DEFAULT_BODY_BYTES));
        assert_eq!(bytes, expected, "{}", method.path);
    }
}

#[test]
fn the_descriptor_set_keeps_the_rest_paths_and_loses_the_comments() {
    let contract = contract();
    let set = descriptor::without_comments(&contract.pool).unwrap();
    assert!(set.len() < contract.pool.encode_to_vec().len());
    let pool = DescriptorPool::decode(set.as_slice()).unwrap();
    assert!(pool.files().all(|f| f.file_descriptor_proto().source_code_info.is_none()));
    assert!(pool.get_message_by_name("google.rpc.BadRequest").is_some());
    let service = pool.get_service_by_name("stoa.orders.v1.OrderService").unwrap();
    let method = service.methods().find(|m| m.name() == "PlaceOrder").unwrap();
    let http = crate::model::extension(&method.options(), "google.api.http").unwrap().unwrap();
    assert_eq!(http["post"], "/v1/orders");
}
