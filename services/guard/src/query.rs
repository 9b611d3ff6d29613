//! Query parameters that are given twice.

use std::collections::HashSet;

use proto::rest::Shape;

use crate::refusal::Refusal;

/// Envoy would take the last of them. Names that the request does not have are the
/// transcoder's to refuse.
pub fn check(request: &Shape, query: &str) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    for pair in query.split('&') {
        let name = decoded(pair.split('=').next().unwrap_or_default());
        let Some(field) = request.field_at(&name) else { continue };
        // Two names of one field end in the same field.
        let parent = name.rsplit_once('.').map_or("", |(parent, _)| parent).to_owned();
        if !field.repeated && !seen.insert((parent, field.name)) {
            let refusal = Refusal::malformed(
                "PARAMETER_DUPLICATE",
                "a query parameter is given twice; see field_violations",
            );
            return Err(refusal.with(vec![(name, "is given more than once".to_owned())]));
        }
    }
    Ok(())
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

    fn check(query: &str) -> Result<(), Refusal> {
        super::check(proto::rest::shape("stoa.catalog.v1.ListProductsRequest").unwrap(), query)
    }

    #[test]
    fn a_parameter_given_twice_is_refused_by_either_name_and_however_it_is_written() {
        for query in
            ["page_size=1&page_size=1", "page_size=1&q=x&pageSize=2", "page_size=1&page%5Fsize=2"]
        {
            let refusal = check(query).unwrap_err();
            assert_eq!(refusal.reason, "PARAMETER_DUPLICATE", "{query}");
        }
        for query in ["", "q=a&page_size=1", "q=q=q&category=q", "colour=1&colour=2", "%&%zz=1&&="]
        {
            assert_eq!(check(query), Ok(()), "{query}");
        }
    }
}
