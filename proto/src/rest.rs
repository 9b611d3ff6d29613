//! The REST form of methods: which body belongs to a path, and which fields it has.

include!("gen/rest.rs");

/// A method's REST form, where it takes a body.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// For example `POST`.
    pub verb: &'static str,
    /// For example `/v1/orders/{order_id}:cancel`.
    pub template: &'static str,
    /// Full name of the message that the body is.
    pub body: &'static str,
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
    /// Full name of the field's message; empty for anything else, and for messages
    /// that are no JSON objects.
    pub message: &'static str,
}

impl Shape {
    /// The field that JSON calls by this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|f| f.name == name || f.json_name == name)
    }
}

impl Field {
    /// What is inside, where that is an object.
    pub fn shape(&self) -> Option<&'static Shape> {
        shape(self.message)
    }
}

/// The body that a request to this path has; nothing for paths that are no
/// method's and for bodies that are not read as JSON.
pub fn body_of(verb: &str, path: &str) -> Option<&'static Shape> {
    let route = ROUTES.iter().find(|r| r.verb == verb && matches(r.template, path))?;
    shape(route.body)
}

fn shape(message: &str) -> Option<&'static Shape> {
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
    fn every_body_has_its_shape_or_is_raw() {
        for route in ROUTES {
            let raw = route.body == "google.api.HttpBody";
            assert_eq!(shape(route.body).is_none(), raw, "{}", route.template);
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
