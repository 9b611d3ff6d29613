//! How much one client may send: request rates and body sizes.

use serde_json::{Value, json};

use super::operations::RATE_LIMIT_KEY;
use super::{access, extension, typed};
use crate::model::{Contract, Method, Rate};

const RATE: &str = "envoy.filters.http.local_ratelimit";
const RATE_TYPE: &str = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit";
const BUFFER: &str = "envoy.filters.http.buffer";
const BUFFER_TYPE: &str = "envoy.extensions.filters.http.buffer.v3";

/// What a method's policy means when it names no body limit.
pub(super) const DEFAULT_BODY_BYTES: u32 = 64 * 1024;

/// Of one client for methods without a rate of their own, all of them together.
const DEFAULT_RATE: Rate = Rate { per_minute: 6000, burst: 2000 };

/// Buckets kept before the least recently used is forgotten. The default of 20
/// would let any 20 other clients reset a client's bucket.
const MAX_CLIENTS: u32 = 20_000;

/// Whom a bucket is kept for.
#[derive(Clone, Copy)]
enum Client {
    /// One address, whoever is behind it.
    Address,
    /// One signed-in user, wherever they call from; no bucket for anybody else.
    User,
}

/// For every method without a rate of its own.
pub(super) fn rate() -> Value {
    extension(RATE, RATE_TYPE, buckets("edge", &[Client::Address, Client::User].map(by_default)))
}

/// Buckets of a route's own, if its method has a rate: for each user where the
/// method needs one, so that people behind one address do not share it.
pub(super) fn rate_of_route(method: &Method) -> Option<(String, Value)> {
    let rate = method.policy.rate.as_ref()?;
    let buckets = if method.policy.access.needs_user() {
        buckets("edge_method", &[by_default(Client::Address), (Client::User, rate)])
    } else {
        buckets("edge_method", &[(Client::Address, rate)])
    };
    Some((RATE.to_owned(), typed(RATE_TYPE, buckets)))
}

/// Buckets of pages where people sign in: as many as of the method that does the same.
pub(super) fn rate_of_signin(contract: &Contract) -> Option<(String, Value)> {
    let methods = contract.external().map(|(_, method)| method);
    let login = methods.into_iter().find(|m| m.path.ends_with("IdentityService/Login"))?;
    rate_of_route(login)
}

fn by_default(client: Client) -> (Client, &'static Rate) {
    (client, &DEFAULT_RATE)
}

/// A request passes when each of its client's buckets has a token.
fn buckets(prefix: &str, rates: &[(Client, &Rate)]) -> Value {
    let always = json!({
        "runtime_key": RATE_LIMIT_KEY,
        "default_value": {"numerator": 100, "denominator": "HUNDRED"},
    });
    let actions: Vec<Value> = rates.iter().map(|(c, _)| json!({"actions": [c.action()]})).collect();
    let descriptors: Vec<Value> = rates
        .iter()
        .map(|(c, rate)| json!({"entries": [{"key": c.key()}], "token_bucket": token_bucket(rate)}))
        .collect();
    json!({
        "stat_prefix": prefix,
        "filter_enabled": always,
        "filter_enforced": always,
        "rate_limits": actions,
        "descriptors": descriptors,
        "max_dynamic_descriptors": MAX_CLIENTS,
        // Envoy wants one; it is for requests that fit no descriptor: there are none.
        "token_bucket": token_bucket(&DEFAULT_RATE),
        "always_consume_default_token_bucket": false,
        "rate_limited_as_resource_exhausted": true,
        "enable_retry_after_header": true,
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
    })
}

impl Client {
    fn key(self) -> &'static str {
        match self {
            Self::Address => "remote_address",
            Self::User => "user",
        }
    }

    fn action(self) -> Value {
        match self {
            Self::Address => json!({"remote_address": {}}),
            Self::User => json!({"metadata": {
                "descriptor_key": self.key(),
                "metadata_key": {
                    "key": access::JWT,
                    "path": [{"key": access::PAYLOAD}, {"key": "sub"}],
                },
                "source": "DYNAMIC",
                "skip_if_absent": true,
            }}),
        }
    }
}

/// One token at a time where that is at most ten a second, so that a client
/// that waits for `retry-after` gets through.
pub(super) fn token_bucket(rate: &Rate) -> Value {
    let (tokens, every_ms) = match rate.per_minute {
        slow @ 1..=600 => (1, 60_000 / slow),
        fast => (fast / 600, 100),
    };
    json!({
        "max_tokens": rate.burst,
        "tokens_per_fill": tokens,
        "fill_interval": super::millis(every_ms),
    })
}

fn body_bytes(method: &Method) -> u32 {
    method.policy.max_body_bytes.unwrap_or(DEFAULT_BODY_BYTES)
}

/// The largest body that any method takes.
pub(super) fn largest_body(contract: &Contract) -> u32 {
    contract.external().map(|(_, m)| body_bytes(m)).max().unwrap_or(DEFAULT_BODY_BYTES)
}

/// Stops a body that is too large for every method while it still arrives. It
/// runs before the transcoder, when the method is not known yet.
pub(super) fn body(contract: &Contract) -> Value {
    extension(
        "envoy.filters.http.body_size_limit",
        "envoy.extensions.filters.http.body_size_limit.v3.BodySizeLimit",
        json!({"max_request_bytes": largest_body(contract)}),
    )
}

/// Applies each method's own limit; only there when the limits differ, because
/// it holds the request back until all of it has come.
pub(super) fn body_per_method(contract: &Contract) -> Option<Value> {
    let largest = largest_body(contract);
    let differ = contract.external().any(|(_, m)| body_bytes(m) != largest);
    differ.then(|| {
        let config = json!({"max_request_bytes": largest});
        extension(BUFFER, &format!("{BUFFER_TYPE}.Buffer"), config)
    })
}

/// A route's own body limit where it is below the largest.
pub(super) fn body_of_route(contract: &Contract, method: &Method) -> Option<(String, Value)> {
    let bytes = body_bytes(method);
    (bytes < largest_body(contract)).then(|| {
        let config = json!({"buffer": {"max_request_bytes": bytes}});
        (BUFFER.to_owned(), typed(&format!("{BUFFER_TYPE}.BufferPerRoute"), config))
    })
}
