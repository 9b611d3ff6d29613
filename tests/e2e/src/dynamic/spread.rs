//! A request as `google.api.http` spreads it over path, query and body.

use contract::Method;
use serde_json::{Map, Value};

/// Path with query, and body.
pub fn spread(method: &Method, request: &Value) -> (String, Option<Value>) {
    let http = method.http.as_ref().expect("a REST form");
    let mut rest = request.as_object().cloned().unwrap_or_default();
    let mut path = http.template.clone();
    for name in http.variables() {
        let value = rest.remove(name).unwrap_or_default();
        path = path.replace(&format!("{{{name}}}"), &percent(&text(&value)));
    }
    match http.body.as_str() {
        "*" => (path, Some(Value::Object(rest))),
        "" => (with_query(path, &rest), None),
        name => {
            let body = rest.remove(name).unwrap_or_else(|| Value::Object(Map::new()));
            (with_query(path, &rest), Some(body))
        }
    }
}

fn with_query(path: String, rest: &Map<String, Value>) -> String {
    let pairs = rest.iter().flat_map(|(name, value)| match value {
        Value::Array(items) => items.iter().map(|v| pair(name, v)).collect(),
        value => vec![pair(name, value)],
    });
    let query: Vec<String> = pairs.collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

fn pair(name: &str, value: &Value) -> String {
    format!("{name}={}", percent(&text(value)))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Percent-encoded (RFC 3986, unreserved characters stay).
pub fn percent(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let one = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    text.bytes().map(one).collect()
}
