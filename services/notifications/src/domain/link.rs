//! Links to the shop in e-mails.

use std::fmt::Write;
use std::str::FromStr;

/// Where people find the shop, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// `<shop><path>?token=<token>`, the token percent-encoded (RFC 3986, section 2.1).
    pub fn with_token(&self, path: &str, token: &str) -> String {
        let mut link = format!("{}{path}?token=", self.0);
        for byte in token.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                link.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(link, "%{byte:02X}");
            }
        }
        link
    }
}

impl FromStr for PublicUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = |c: char| c.is_ascii_graphic() && !"?#\"<>".contains(c);
        if host.is_none_or(str::is_empty) || !text.chars().all(plain) {
            return Err("expected http://… or https://…, without a query");
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stays_one_parameter_whatever_it_is_made_of() {
        let shop: PublicUrl = "https://shop.example/".parse().expect("a URL");
        let link = shop.with_token("/verify-email", "aZ9-_.~&x=1 #ü");
        let expected = "https://shop.example/verify-email?token=aZ9-_.~%26x%3D1%20%23%C3%BC";
        assert_eq!(link, expected);
    }

    #[test]
    fn what_is_no_address_of_a_shop_is_refused() {
        for text in ["", "shop.example", "https://", "ftp://shop", "http://a b", "http://a?b"] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
        }
    }
}
