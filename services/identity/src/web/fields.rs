//! Parameters of queries and forms.

use std::collections::HashMap;

/// Names and values; a name that comes twice is an error (RFC 6749, section 3.1), and
/// one without a value counts as not there.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    values: HashMap<String, String>,
    pub(super) doubled: bool,
}

impl Fields {
    pub(super) fn new(pairs: Vec<(String, String)>) -> Self {
        let mut fields = Self::default();
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            fields.doubled |= fields.values.insert(name, value).is_some();
        }
        fields
    }

    pub(super) fn parse(encoded: &str) -> Self {
        Self::new(form_urlencoded::parse(encoded.as_bytes()).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// As they stand in a query.
    pub(super) fn encoded(&self, without: &[&str]) -> String {
        let mut pairs: Vec<(&String, &String)> = self.values.iter().collect();
        pairs.retain(|(name, _)| !without.contains(&name.as_str()));
        pairs.sort();
        form(&pairs)
    }
}

/// `application/x-www-form-urlencoded`.
pub(super) fn form(pairs: &[(impl AsRef<str>, impl AsRef<str>)]) -> String {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        encoded.append_pair(name.as_ref(), value.as_ref());
    }
    encoded.finish()
}

/// An address with parameters behind those it has.
pub(super) fn with_parameters(uri: &str, pairs: &[(&str, &str)]) -> String {
    let joint = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{joint}{}", form(pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_comes_twice_is_noticed_and_one_without_value_is_none() {
        let fields = Fields::parse("a=1&b=&c=%C3%A4+b&b=2");
        assert_eq!(
            (fields.get("a"), fields.get("b"), fields.doubled),
            (Some("1"), Some("2"), false)
        );
        assert_eq!(fields.get("c"), Some("ä b"));
        assert!(Fields::parse("a=1&a=1").doubled);
        assert_eq!(fields.encoded(&["a"]), "b=2&c=%C3%A4+b");
    }

    #[test]
    fn parameters_come_behind_those_that_are_there() {
        assert_eq!(with_parameters("https://a/b", &[("x", "1 2")]), "https://a/b?x=1+2");
        assert_eq!(with_parameters("https://a/b?c=d", &[("x", "&")]), "https://a/b?c=d&x=%26");
    }
}
