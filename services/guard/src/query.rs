//! Query parameters that say a field a second time.

use std::collections::HashSet;

use proto::rest::{Route, shape};

use crate::refusal::Refusal;

/// Envoy would take the last of two values, and a parameter for a field that the path
/// or the body says already would win over it. Names that the request does not have at
/// all are the transcoder's to refuse.
pub fn check(route: &Route, query: &str) -> Result<(), Refusal> {
    let Some(request) = shape(route.request) else { return Ok(()) };
    let mut seen = HashSet::new();
    for pair in query.split('&') {
        let name = decoded(pair.split('=').next().unwrap_or_default());
        let Some(field) = request.field_at(&name) else { continue };
        let parameter = name.split('.').next().and_then(|first| request.field(first));
        if !parameter.is_some_and(|field| route.parameters.contains(&field.name)) {
            return Err(refused("PARAMETER_MISPLACED", name, "is not said in the query"));
        }
        // Two names of one field end in the same field.
        let parent = name.rsplit_once('.').map_or("", |(parent, _)| parent).to_owned();
        if !field.repeated && !seen.insert((parent, field.name)) {
            return Err(refused("PARAMETER_DUPLICATE", name, "is given more than once"));
        }
    }
    Ok(())
}

fn refused(reason: &'static str, name: String, description: &str) -> Refusal {
    let message = "the query does not fit this method; see field_violations";
    Refusal::malformed(reason, message).with(vec![(name, description.to_owned())])
}

/// Percent-decoded; bytes that make no text are left as they are.
fn decoded(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%').then(|| tail.get(..2)).flatten();
        let value =
            escaped.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match value {
            Some(byte) => (bytes.push(byte), rest = &tail[2..]),
            None => (bytes.push(*first), rest = tail),
        };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| name.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(request: &str, query: &str) -> Result<(), Refusal> {
        let (verb, path) = request.split_once(' ').unwrap();
        super::check(proto::rest::route(verb, path).unwrap(), query)
    }

    #[test]
    fn a_parameter_given_twice_is_refused_by_either_name_and_however_it_is_written() {
        for query in
            ["page_size=1&page_size=1", "page_size=1&q=x&pageSize=2", "page_size=1&page%5Fsize=2"]
        {
            let refusal = check("GET /v1/products", query).unwrap_err();
            assert_eq!(refusal.reason, "PARAMETER_DUPLICATE", "{query}");
        }
        for query in ["", "q=a&page_size=1", "q=q=q&category=q", "colour=1&colour=2", "%&%zz=1&&="]
        {
            assert_eq!(check("GET /v1/products", query), Ok(()), "{query}");
        }
    }

    #[test]
    fn a_parameter_cannot_say_what_the_path_or_the_body_says() {
        for (request, query) in [
            ("GET /v1/products/x", "product_id=y"),
            ("GET /v1/products/x", "product%49d=y"),
            ("POST /v1/cart/items", "quantity=3"),
            ("PATCH /v1/users/me", "user.email=x"),
            ("PATCH /v1/users/me", "update_mask=email&user.displayName=x"),
        ] {
            let refusal = check(request, query).unwrap_err();
            assert_eq!(refusal.reason, "PARAMETER_MISPLACED", "{request} {query}");
        }
        assert_eq!(check("PATCH /v1/users/me", "updateMask=email"), Ok(()));
    }
}
