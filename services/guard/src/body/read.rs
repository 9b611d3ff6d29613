//! The reader: follows a message's fields through the text.

use std::collections::HashSet;
use std::fmt;

use proto::rest::{Field, Kind, Shape, shape};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Findings;

/// Reads the whole body.
pub(super) fn object<'a>(shape: &'static Shape, findings: &'a mut Findings) -> Reader<'a> {
    Reader { expected: Expected::Body(shape), path: String::new(), findings }
}

/// Reads one value.
pub(super) struct Reader<'a> {
    expected: Expected,
    path: String,
    findings: &'a mut Findings,
}

#[derive(Clone, Copy)]
enum Expected {
    Body(&'static Shape),
    /// A field's value; a list where the field is repeated.
    Field(&'static Field),
    /// An item of a repeated field.
    Item(&'static Field),
}

impl Expected {
    fn kind(self) -> Option<Kind> {
        match self {
            Self::Body(shape) => Some(Kind::Object(shape.message)),
            Self::Field(field) if field.repeated => None,
            Self::Field(field) | Self::Item(field) => Some(field.kind),
        }
    }

    fn shape(self) -> Option<&'static Shape> {
        match self.kind()? {
            Kind::Object(message) => shape(message),
            _ => None,
        }
    }

    fn words(self) -> &'static str {
        match self.kind() {
            None => "must be a list",
            Some(Kind::Bool) => "must be true or false",
            Some(Kind::Integer { .. }) => "must be a whole number of its range",
            Some(Kind::Number) => "must be a number",
            Some(Kind::Text) => "must be a string",
            Some(Kind::Enum(_)) => "must be one of the names of its type",
            Some(Kind::Object(_)) => "must be an object",
            Some(Kind::Any) => "is not understood",
        }
    }
}

impl Reader<'_> {
    fn check(self, fits: bool) {
        if !fits {
            self.findings.add("FIELD_MALFORMED", self.path, self.expected.words());
        }
    }

    /// A value that is no object where the body must be one.
    fn scalar<E: Error>(self, fits: impl FnOnce(Kind) -> bool) -> Result<(), E> {
        if let Expected::Body(_) = self.expected {
            return Err(E::custom("not an object"));
        }
        let fits = self.expected.kind().is_some_and(|kind| kind == Kind::Any || fits(kind));
        self.check(fits);
        Ok(())
    }

    fn integer<E: Error>(self, value: i128) -> Result<(), E> {
        self.scalar(|kind| match kind {
            Kind::Integer { least, most } => (least..=most).contains(&value),
            Kind::Enum(_) => i32::try_from(value).is_ok(),
            kind => kind == Kind::Number,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some(shape) = self.expected.shape() else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            let fits = self.expected.kind() == Some(Kind::Any);
            self.check(fits);
            return Ok(());
        };
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let path =
                if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            let Some(field) = shape.field(&key) else {
                map.next_value::<IgnoredAny>()?;
                self.findings.add("FIELD_UNKNOWN", path, "is not a field of this request");
                continue;
            };
            if !seen.insert(field.name) {
                self.findings.add("FIELD_DUPLICATE", path.clone(), "is given more than once");
            }
            let expected = Expected::Field(field);
            map.next_value_seed(Reader { expected, path, findings: self.findings })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let field = match self.expected {
            Expected::Body(_) => return Err(A::Error::custom("not an object")),
            Expected::Field(field) if field.repeated => field,
            Expected::Field(_) | Expected::Item(_) => {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                let fits = self.expected.kind() == Some(Kind::Any);
                self.check(fits);
                return Ok(());
            }
        };
        for index in 0.. {
            let (expected, path) = (Expected::Item(field), format!("{}[{index}]", self.path));
            let item = Reader { expected, path, findings: self.findings };
            if seq.next_element_seed(item)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.scalar(|kind| match kind {
            Kind::Text => true,
            Kind::Integer { least, most } => {
                whole(text).is_some_and(|value| (least..=most).contains(&value))
            }
            Kind::Number => text.parse::<f64>().is_ok(),
            Kind::Enum(names) => names.contains(&text),
            Kind::Bool | Kind::Object(_) | Kind::Any => false,
        })
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.scalar(|kind| kind == Kind::Bool)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.integer(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.integer(value.into())
    }

    /// 1.0 and 1e3 are whole numbers too.
    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        match whole(&value.to_string()) {
            Some(value) => self.integer(value),
            None => self.scalar(|kind| kind == Kind::Number),
        }
    }

    /// `null` is a field that is not there (proto JSON); an item must be there.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        match self.expected {
            Expected::Field(_) => Ok(()),
            Expected::Body(_) | Expected::Item(_) => self.scalar(|_| false),
        }
    }
}

/// A decimal without a fraction.
fn whole(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}
