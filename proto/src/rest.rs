//! The REST form of methods: which request belongs to a path, and which fields it has.

include!("gen/rest.rs");

/// A method's REST form.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// For example `POST`.
    pub verb: &'static str,
    /// For example `/v1/orders/{order_id}:cancel`.
    pub template: &'static str,
    /// Full name of the request message.
    pub request: &'static str,
    /// The fields that stand in the query.
    pub parameters: &'static [&'static str],
    pub body: Body,
}

/// What a method takes as its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    None,
    /// Any bytes of any type.
    Raw,
    Json {
        /// Full name of the message that the body is.
        message: &'static str,
        /// The path says it all: the body has nothing to add.
        optional: bool,
    },
}

/// The fields of a message in JSON.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Full name.
    pub message: &'static str,
    pub fields: &'static [Field],
}

/// A field in JSON.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// As in the contract.
    pub name: &'static str,
    /// The other name that proto JSON accepts.
    pub json_name: &'static str,
    pub repeated: bool,
    /// Of the items, where the field is repeated.
    pub kind: Kind,
}

/// What proto JSON takes for a field (<https://protobuf.dev/programming-guides/json/>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bool,
    /// A number, or a string that holds one, between the bounds.
    Integer {
        least: i128,
        most: i128,
    },
    Number,
    Text,
    /// One of the names, or a number.
    Enum(&'static [&'static str]),
    /// A message by its full name.
    Object(&'static str),
    /// A well-known type that is not looked into.
    Any,
}

impl Kind {
    pub const INT32: Self = Self::Integer { least: i32::MIN as i128, most: i32::MAX as i128 };
    pub const UINT32: Self = Self::Integer { least: 0, most: u32::MAX as i128 };
    pub const INT64: Self = Self::Integer { least: i64::MIN as i128, most: i64::MAX as i128 };
    pub const UINT64: Self = Self::Integer { least: 0, most: u64::MAX as i128 };
}

impl Shape {
    /// The field that JSON calls by this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|f| f.name == name || f.json_name == name)
    }

    /// The field at a dotted path, as query parameters name it.
    pub fn field_at(&self, path: &str) -> Option<&'static Field> {
        match path.split_once('.') {
            None => self.field(path),
            Some((first, rest)) => match self.field(first)?.kind {
                Kind::Object(message) => shape(message)?.field_at(rest),
                _ => None,
            },
        }
    }
}

/// The method that a request calls. A literal wins over a variable.
pub fn route(verb: &str, path: &str) -> Option<&'static Route> {
    let matching = ROUTES.iter().filter(|r| r.verb == verb && matches(r.template, path));
    matching.min_by_key(|r| r.template.matches('{').count())
}

/// The fields of a message by its full name.
pub fn shape(message: &str) -> Option<&'static Shape> {
    SHAPES.binary_search_by(|s| s.message.cmp(message)).ok().map(|i| &SHAPES[i])
}

/// Whether a path has the form of a template of literals, `{variables}` of one
/// segment, and a verb at the end.
fn matches(template: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(wanted), Some(found)) if segment_matches(wanted, found) => {}
            _ => return false,
        }
    }
}

fn segment_matches(wanted: &str, found: &str) -> bool {
    match wanted.split_once('}') {
        Some((_, verb)) => {
            let value = found.strip_suffix(verb).unwrap_or_default();
            !value.is_empty() && (!verb.is_empty() || !value.contains(':'))
        }
        None => wanted == found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_and_every_body_has_its_shape() {
        for route in ROUTES {
            assert!(shape(route.request).is_some(), "{}", route.template);
            if let Body::Json { message, .. } = route.body {
                assert!(shape(message).is_some(), "{}", route.template);
            }
        }
    }

    #[test]
    fn templates_match_their_paths_and_no_others() {
        assert!(matches("/v1/orders/{order_id}:cancel", "/v1/orders/42:cancel"));
        assert!(!matches("/v1/orders/{order_id}:cancel", "/v1/orders/:cancel"));
        assert!(!matches("/v1/orders/{order_id}", "/v1/orders/42:cancel"));
        assert!(!matches("/v1/orders/{order_id}", "/v1/orders/42/lines"));
    }
}
