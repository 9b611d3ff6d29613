//! HTTPS: which versions and ciphers, and where the certificate comes from.

use serde_json::{Value, json};

use super::typed;

/// The name under which the listener asks for the certificate.
const SECRET: &str = "edge";

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

/// TLS as the edge speaks it to people. The certificate comes by a file that Envoy
/// watches, so that a new one needs no restart.
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
            "tls_certificate_sds_secret_configs": [{
                "name": SECRET,
                "sds_config": {
                    "path_config_source": {"path": "${EDGE_CERTIFICATE}"},
                    "resource_api_version": "V3",
                },
            }],
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

/// The watched file: which certificate. When something is renamed in its directory, both
/// files are read again; a pair that does not fit is refused and the old one kept.
pub(super) fn secret() -> Value {
    let secret = typed(
        "envoy.extensions.transport_sockets.tls.v3.Secret",
        json!({
            "name": SECRET,
            "tls_certificate": {
                "certificate_chain": {"filename": "${EDGE_CERT}"},
                "private_key": {"filename": "${EDGE_KEY}"},
                "watched_directory": {"path": "${EDGE_CERT_DIR}"},
            },
        }),
    );
    json!({"resources": [secret]})
}
