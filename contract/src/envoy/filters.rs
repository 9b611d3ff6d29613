//! The filter chain, in the order that requests pass it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{access, extension, guard, headers, limits};
use crate::model::Contract;

/// The largest JSON answer, in bytes.
const MAX_RESPONSE_BYTES: u32 = 4 * 1024 * 1024;

/// Tokens are checked after transcoding: the other way round, a REST path that
/// no rule knows would slip past the rules of its RPC.
pub(super) fn chain(contract: &Contract) -> Vec<Value> {
    let mut chain = vec![
        headers::filter(),
        plain("cors", "cors.v3.Cors"),
        limits::body(contract),
        compressor(),
        plain("grpc_web", "grpc_web.v3.GrpcWeb"),
        guard::filter(contract),
        transcoder(contract),
        access::jwt(),
        access::rbac(contract),
        limits::rate(),
    ];
    chain.extend(limits::body_per_method(contract));
    chain.push(grpc_stats(contract));
    chain.push(router());
    chain
}

fn plain(name: &str, type_name: &str) -> Value {
    extension(
        &format!("envoy.filters.http.{name}"),
        &format!("envoy.extensions.filters.http.{type_name}"),
        json!({}),
    )
}

fn compressor() -> Value {
    extension(
        "envoy.filters.http.compressor",
        "envoy.extensions.filters.http.compressor.v3.Compressor",
        json!({
            "response_direction_config": {
                "common_config": {
                    "min_content_length": 1024,
                    "content_type_matcher": [{"prefix": "application/json"}],
                },
                "disable_on_etag_header": true,
            },
            "compressor_library": extension(
                "gzip",
                "envoy.extensions.compression.gzip.compressor.v3.Gzip",
                json!({"compression_level": "BEST_SPEED"}),
            ),
        }),
    )
}

fn transcoder(contract: &Contract) -> Value {
    let services: Vec<String> = methods_by_service(contract).into_keys().collect();
    extension(
        "envoy.filters.http.grpc_json_transcoder",
        "envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        json!({
            "proto_descriptor": "${DESCRIPTOR}",
            "services": services,
            "auto_mapping": false,
            "convert_grpc_status": true,
            "print_options": {
                "always_print_primitive_fields": true,
                "preserve_proto_field_names": true,
                "stream_newline_delimited": true,
            },
            "request_validation_options": {
                "reject_unknown_method": true,
                "reject_unknown_query_parameters": true,
                "reject_binding_body_field_collisions": true,
            },
            "max_request_body_size": limits::largest_body(contract),
            "max_response_body_size": MAX_RESPONSE_BYTES,
        }),
    )
}

fn grpc_stats(contract: &Contract) -> Value {
    let services: Vec<Value> = methods_by_service(contract)
        .into_iter()
        .map(|(name, methods)| json!({"name": name, "method_names": methods}))
        .collect();
    extension(
        "envoy.filters.http.grpc_stats",
        "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig",
        json!({
            "individual_method_stats_allowlist": {"services": services},
            "enable_upstream_stats": true,
        }),
    )
}

/// Nothing of the inside shows in the headers of an answer.
fn router() -> Value {
    extension(
        "envoy.filters.http.router",
        "envoy.extensions.filters.http.router.v3.Router",
        json!({"suppress_envoy_headers": true}),
    )
}

/// What the edge serves, by service.
fn methods_by_service(contract: &Contract) -> BTreeMap<String, Vec<String>> {
    let mut services: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (service, method) in contract.external() {
        let methods = services.entry(service.full_name.clone()).or_default();
        methods.push(method.descriptor.name().to_owned());
    }
    services
}
