//! Answers of two equal situations without what is made anew in each.

use std::sync::LazyLock;

use contract::is_secret;
use prost_reflect::{Kind, MessageDescriptor};
use regex::Regex;
use serde_json::{Value, json};

static GENERATED: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
        (r"TST-[0-9a-f]{12}", "<sku>"),
        (r"[0-9a-f]{32}", "<id>"),
        (r#""kid":"[A-Za-z0-9_-]{43}""#, r#""kid":"<thumbprint>""#),
        (r#""(entry_count|sequence)":"[0-9]+""#, r#""$1":"<count>""#),
    ]
    .map(|(pattern, mask)| (Regex::new(pattern).unwrap(), mask))
    .into()
});

/// An answer with ids, times and tokens masked.
pub fn masked(output: &MessageDescriptor, answer: &Value) -> Value {
    let mut answer = answer.clone();
    hide_tokens(output, &mut answer);
    // Facts come in any order, and so does what they are told by.
    if output.full_name() == "stoa.notifications.v1.ListNotificationsResponse"
        && let Some(told) = answer["notifications"].as_array_mut()
    {
        told.sort_by_key(|told| told["kind"].to_string());
    }
    // An archive of things with ids and times of their own.
    if output.full_name() == "google.api.HttpBody" {
        answer["data"] = json!("<bytes>");
    }
    serde_json::from_str(&masked_text(&answer.to_string())).unwrap()
}

pub fn masked_text(text: &str) -> String {
    let mask =
        |text: String, (pattern, mask): &(Regex, &str)| pattern.replace_all(&text, *mask).into();
    GENERATED.iter().fold(text.to_owned(), mask)
}

/// Secrets in answers are made anew; other sensitive text is repeated from requests.
fn hide_tokens(message: &MessageDescriptor, value: &mut Value) {
    for field in message.fields() {
        let Some(inner) = value.get_mut(field.name()) else { continue };
        if is_secret(&field).unwrap() {
            let secrets = inner.as_array().cloned().unwrap_or_else(|| vec![inner.clone()]);
            let long = |secret: &Value| secret.as_str().is_some_and(|text| text.len() > 15);
            assert!(secrets.iter().all(long), "{}", field.full_name());
            *inner = json!("<secret>");
            continue;
        }
        if field.name() == "next_page_token" && *inner != json!("") {
            *inner = json!("<page>");
        }
        if let Kind::Message(of) = field.kind() {
            match inner {
                Value::Array(items) => items.iter_mut().for_each(|item| hide_tokens(&of, item)),
                inner => hide_tokens(&of, inner),
            }
        }
    }
}
