//! HTTPS, which versions and ciphers, and where all certificates of the edge come from.

use serde_json::{Value, json};

use super::typed;
use crate::cluster;

/// What people see.
const EDGE: &str = "edge";
/// What services see, and whom the edge believes to be one.
const MESH: &str = "mesh";
const AUTHORITIES: &str = "authorities";

/// For TLS 1.2; those of 1.3 are all good. Forward secrecy and authenticated encryption
/// only: Mozilla's "intermediate" list (5.7) without finite-field Diffie-Hellman.
const CIPHERS: [&str; 6] = [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
];

/// The first also holds against those who record now and compute later.
const CURVES: [&str; 3] = ["X25519MLKEM768", "X25519", "P-256"];

/// TLS as the edge speaks it to people.
pub(super) fn transport_socket() -> Value {
    let context = json!({
        "common_tls_context": {
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_params": {
                "tls_minimum_protocol_version": "TLSv1_2",
                "tls_maximum_protocol_version": "TLSv1_3",
                "cipher_suites": CIPHERS,
                "ecdh_curves": CURVES,
            },
            "tls_certificate_sds_secret_configs": [watched(EDGE)],
        },
    });
    json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": typed(
            "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            context,
        ),
    })
}

/// Mutual TLS as the edge speaks it to a workload. As a client Envoy stops at TLS 1.2
/// unless both bounds are set.
pub(super) fn to_workload(workload: &str) -> Value {
    let identity = format!("spiffe://{}", cluster::principal(workload));
    let context = json!({
        "sni": workload,
        "common_tls_context": {
            "tls_params": {
                "tls_minimum_protocol_version": "TLSv1_3",
                "tls_maximum_protocol_version": "TLSv1_3",
            },
            "tls_certificate_sds_secret_configs": [watched(MESH)],
            "combined_validation_context": {
                "default_validation_context": {
                    "match_typed_subject_alt_names": [
                        {"san_type": "URI", "matcher": {"exact": identity}},
                    ],
                },
                "validation_context_sds_secret_config": watched(AUTHORITIES),
            },
        },
    });
    json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": typed(
            "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            context,
        ),
    })
}

/// By a file that names files that Envoy watches, so that new ones need no restart.
fn watched(secret: &str) -> Value {
    json!({
        "name": secret,
        "sds_config": {
            "path_config_source": {"path": format!("${{CERTIFICATES}}/{secret}.yaml")},
            "resource_api_version": "V3",
        },
    })
}

/// Those files, by name; Envoy wants one for each. When something is renamed in a
/// directory, its files are read again; a pair that does not fit is refused and the old
/// one kept.
pub(super) fn secrets() -> [(&'static str, Value); 3] {
    let authorities = json!({
        "trusted_ca": {"filename": "${MESH_CA}"},
        "watched_directory": {"path": "${MESH_DIR}"},
    });
    [
        (EDGE, pair(EDGE, "${EDGE_CERT}", "${EDGE_KEY}", "${EDGE_CERT_DIR}")),
        (MESH, pair(MESH, "${MESH_CERT}", "${MESH_KEY}", "${MESH_DIR}")),
        (AUTHORITIES, secret(AUTHORITIES, "validation_context", authorities)),
    ]
}

fn pair(name: &str, certificate: &str, key: &str, directory: &str) -> Value {
    let files = json!({
        "certificate_chain": {"filename": certificate},
        "private_key": {"filename": key},
        "watched_directory": {"path": directory},
    });
    secret(name, "tls_certificate", files)
}

fn secret(name: &str, kind: &str, value: Value) -> Value {
    let fields = json!({"name": name, (kind): value});
    let secret = typed("envoy.extensions.transport_sockets.tls.v3.Secret", fields);
    json!({"resources": [secret]})
}
