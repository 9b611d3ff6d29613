//! The signature of a webhook: HMAC-SHA-256 (RFC 2104) over the time and the raw
//! body, so that neither can be changed and an old one cannot be sent again.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header that carries it.
pub const HEADER: &str = "stoa-signature";

/// The header's value, `t=<seconds since 1970>,v1=<hex>`.
pub fn sign(secret: &str, seconds: i64, body: &[u8]) -> String {
    // HMAC takes a key of any length.
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    format!("t={seconds},v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_covers_time_and_body() {
        let signed = sign("secret", 1, b"{}");
        // printf '1.{}' | openssl dgst -sha256 -hmac secret
        let by_openssl = "1122767b193110cfec322b6f199b599edbf608ed087f2d27afb0b97d99523908";
        assert_eq!(signed, format!("t=1,v1={by_openssl}"));
        assert_ne!(signed[7..], sign("secret", 2, b"{}")[7..]);
        assert_ne!(signed[7..], sign("secret", 1, b"[]")[7..]);
        assert_ne!(signed[7..], sign("other", 1, b"{}")[7..]);
    }
}
