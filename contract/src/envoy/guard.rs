//! Unknown JSON fields: the transcoder drops them, so the guard is asked before it.

use serde_json::{Value, json};

use super::{extension, limits, typed};
use crate::model::Contract;

pub(super) const FILTER: &str = "envoy.filters.http.ext_authz";
pub(super) const CLUSTER: &str = "guard";

/// A guard that does not answer closes the door: a write that means something else
/// than its sender believes is worse than one that has to be sent again.
pub(super) fn filter(contract: &Contract) -> Value {
    extension(
        FILTER,
        "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
        json!({
            "http_service": {
                "server_uri": {
                    "uri": "http://guard",
                    "cluster": CLUSTER,
                    "timeout": "1s",
                },
            },
            "with_request_body": {"max_request_bytes": limits::largest_body(contract)},
            "disallowed_headers": {"patterns": [{"exact": "authorization"}]},
            "failure_mode_allow": false,
            "status_on_error": {"code": "ServiceUnavailable"},
        }),
    )
}

/// Nothing with a JSON body.
pub(super) fn off() -> Value {
    typed("envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute", json!({"disabled": true}))
}

pub(super) fn on() -> Value {
    typed(
        "envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
        json!({"check_settings": {}}),
    )
}
