//! The signature on webhooks: `t=<seconds since 1970>,v1=<hex of HMAC-SHA-256 over
//! "<t>.<raw body>">`, the scheme `v1` of Stripe, which the sandbox speaks too.
//! <https://docs.stripe.com/webhooks#verify-manually>

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use time::OffsetDateTime;

use crate::core::Error;

/// An older signature may be a repetition by somebody who listened.
const TOLERANCE_SECONDS: u64 = 300;

/// Refuses a body that the secret's owner has not signed lately.
pub(super) fn check(
    secret: &SecretString,
    header: Option<&str>,
    body: &[u8],
    now: OffsetDateTime,
) -> Result<(), Error> {
    if is_valid(secret.expose_secret(), header.unwrap_or_default(), body, now) {
        return Ok(());
    }
    Err(Error::WebhookSignature)
}

/// True when the secret's owner has signed this body lately. Several `v1` may be
/// there while the secret is changed; one must fit.
fn is_valid(secret: &str, header: &str, body: &[u8], now: OffsetDateTime) -> bool {
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let time = parts().find(|(name, _)| *name == "t").map(|(_, value)| value);
    let Some(seconds) = time.and_then(|t| t.parse::<i64>().ok()) else { return false };
    if now.unix_timestamp().abs_diff(seconds) > TOLERANCE_SECONDS {
        return false;
    }
    parts().filter(|(name, _)| *name == "v1").any(|(_, hex)| fits(secret, seconds, body, hex))
}

fn fits(secret: &str, seconds: i64, body: &[u8], hex: &str) -> bool {
    let Ok(told) = hex::decode(hex) else { return false };
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()) else {
        return false;
    };
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    // In constant time.
    mac.verify_slice(&told).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // printf '1.{}' | openssl dgst -sha256 -hmac secret
    const SIGNED: &str = "t=1,v1=1122767b193110cfec322b6f199b599edbf608ed087f2d27afb0b97d99523908";

    fn valid(secret: &str, header: &str, body: &[u8], seconds: i64) -> bool {
        let now = OffsetDateTime::from_unix_timestamp(seconds).expect("a time");
        is_valid(secret, header, body, now)
    }

    #[test]
    fn the_owners_signature_is_valid_for_five_minutes() {
        assert!(valid("secret", SIGNED, b"{}", 1));
        assert!(valid("secret", SIGNED, b"{}", 301));
        assert!(!valid("secret", SIGNED, b"{}", 302));
    }

    #[test]
    fn another_secret_body_time_or_form_is_refused() {
        assert!(!valid("other", SIGNED, b"{}", 1));
        assert!(!valid("secret", SIGNED, b"{ }", 1));
        assert!(!valid("secret", &SIGNED.replace("t=1", "t=2"), b"{}", 1));
        for header in ["", "t=1", "v1=00", "t=1,v1=", "t=1,v1=zz", "t=x,v1=00", ",,="] {
            assert!(!valid("secret", header, b"{}", 1), "{header}");
        }
    }

    #[test]
    fn one_of_several_signatures_must_fit() {
        let both = SIGNED.replace("v1=", "v1=00,v1=");
        assert!(valid("secret", &both, b"{}", 1));
    }
}
