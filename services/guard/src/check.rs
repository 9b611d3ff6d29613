//! Whether a request says plainly what it means.

use http::{HeaderMap, header};
use proto::rest::{self, Body};

use crate::refusal::Refusal;
use crate::{body, query};

/// What the edge asks about: the client's own request.
pub struct Question<'a> {
    pub verb: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

impl Question<'_> {
    /// Refuses what would be understood otherwise than it was meant.
    pub fn answer(&self) -> Result<(), Refusal> {
        let route = rest::route(self.verb, self.path).ok_or_else(Refusal::no_route)?;
        query::check(route, self.query)?;
        match route.body {
            Body::Raw => Ok(()),
            Body::None if self.body.is_empty() => Ok(()),
            Body::None => Err(Refusal::malformed("BODY_UNEXPECTED", "this method takes no body")),
            Body::Json { optional: true, .. } if self.body.is_empty() => Ok(()),
            Body::Json { .. } if self.body.is_empty() => Err(Refusal::malformed(
                "BODY_MISSING",
                "this method needs a JSON object as its body",
            )),
            Body::Json { message, .. } => {
                self.is_json()?;
                rest::shape(message).map_or(Ok(()), |shape| body::check(shape, self.body))
            }
        }
    }

    /// `application/json` in UTF-8, as it is.
    fn is_json(&self) -> Result<(), Refusal> {
        let value = |name| self.headers.get(name).map(|v| v.to_str().unwrap_or_default());
        if value(header::CONTENT_ENCODING).is_some_and(|c| !c.eq_ignore_ascii_case("identity")) {
            return Err(Refusal::media_type("send the body without a content-encoding"));
        }
        match value(header::CONTENT_TYPE) {
            Some(kind) if is_json(kind) => Ok(()),
            Some("application/x-www-form-urlencoded") => Err(Refusal::media_type(
                "send content-type: application/json (curl -d sends a form unless told otherwise)",
            )),
            _ => Err(Refusal::media_type("send JSON, with content-type: application/json")),
        }
    }
}

/// RFC 9110, section 8.3.1; RFC 8259 knows no encoding but UTF-8.
fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    kind.eq_ignore_ascii_case("application/json")
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            Some(_) => true,
            None => parameter.is_empty(),
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

    fn ask(request: &str, headers: &[(&str, &str)], body: &str) -> Result<(), Refusal> {
        let (verb, target) = request.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = headers.iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap()));
        let headers = &HeaderMap::from_iter(headers);
        Question { verb, path, query, headers, body: body.as_bytes() }.answer()
    }

    fn reason(answer: Result<(), Refusal>) -> (u16, &'static str) {
        answer.map_or_else(|r| (r.status, r.reason), |()| (200, ""))
    }

    #[test]
    fn a_body_is_json_in_utf8_and_nothing_else() {
        for kind in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
        ] {
            assert_eq!(
                ask("POST /v1/cart/items", &[("content-type", kind)], "{}"),
                Ok(()),
                "{kind}"
            );
        }
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/problem+json",
            "application/json-patch+json",
            "application/json; charset=utf-16",
            "multipart/form-data; boundary=x",
            "",
        ] {
            let answer = ask("POST /v1/cart/items", &[("content-type", kind)], "{}");
            assert_eq!(reason(answer), (415, "UNSUPPORTED_MEDIA_TYPE"), "{kind}");
        }
        assert_eq!(reason(ask("POST /v1/cart/items", &[], "{}")).0, 415);
        let packed = [JSON[0], ("content-encoding", "gzip")];
        assert_eq!(reason(ask("POST /v1/cart/items", &packed, "{}")).0, 415);
    }

    #[test]
    fn a_webhook_is_of_any_type_and_never_read() {
        for kind in ["application/json", "text/plain", "application/octet-stream"] {
            let answer = ask("POST /v1/payments/webhooks/x", &[("content-type", kind)], "{\"a\":");
            assert_eq!(answer, Ok(()), "{kind}");
        }
        assert_eq!(ask("POST /v1/payments/webhooks/x", &[], ""), Ok(()));
    }

    #[test]
    fn a_body_may_be_left_out_where_it_has_nothing_to_say() {
        assert_eq!(ask("POST /v1/orders/x:cancel", &[], ""), Ok(()));
        assert_eq!(ask("DELETE /v1/cart", &[], ""), Ok(()));
        assert_eq!(reason(ask("POST /v1/orders", JSON, "")), (400, "BODY_MISSING"));
        assert_eq!(reason(ask("DELETE /v1/cart", JSON, "{}")), (400, "BODY_UNEXPECTED"));
        assert_eq!(reason(ask("GET /v1/cart", JSON, "{}")), (400, "BODY_UNEXPECTED"));
    }

    #[test]
    fn a_path_that_is_no_methods_goes_no_further() {
        assert_eq!(reason(ask("POST /v1/nothing", JSON, "{}")), (404, "ROUTE_NOT_FOUND"));
        assert_eq!(reason(ask("POST /v1/%63art/items", JSON, "{}")), (404, "ROUTE_NOT_FOUND"));
    }

    #[test]
    fn parameters_and_bodies_are_both_looked_at() {
        let answer = ask("GET /v1/products?page_size=1&page_size=2", &[], "");
        assert_eq!(reason(answer), (400, "PARAMETER_DUPLICATE"));
        let answer = ask("PATCH /v1/products/x?update_mask=name", JSON, r#"{"nam":"x"}"#);
        assert_eq!(reason(answer), (400, "FIELD_UNKNOWN"));
    }
}
