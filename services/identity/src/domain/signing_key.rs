//! The life of a signing key: published, then signing, then only published until the
//! last token that it signed has expired.

use time::{Duration, OffsetDateTime};

/// How long the parts of a key's life last.
#[derive(Debug, Clone, Copy)]
pub struct KeyPlan {
    /// Between publishing and signing: longer than anybody keeps the published keys.
    pub lead: Duration,
    /// Between signing the last token and forgetting the key.
    pub retirement: Duration,
    /// Age at which a key is replaced.
    pub rotate_after: Duration,
}

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    Published,
    Signing,
    Retiring,
}

/// What is known of a key beside the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// RFC 7638 thumbprint.
    pub kid: String,
    pub created_at: OffsetDateTime,
    pub signs_at: OffsetDateTime,
    /// Nothing while there is no newer key.
    pub retires_at: Option<OffsetDateTime>,
}

impl KeyInfo {
    /// Whether it signs at `now` or may have signed before.
    pub fn may_sign(&self, now: OffsetDateTime) -> bool {
        self.signs_at <= now
    }
}

impl KeyPlan {
    /// When a key signs that is made at `now`, and when the one before it is forgotten.
    pub fn succession(&self, now: OffsetDateTime) -> (OffsetDateTime, OffsetDateTime) {
        let signs_at = now + self.lead;
        (signs_at, signs_at + self.retirement)
    }

    /// Whether the newest key is old enough to be replaced.
    pub fn is_due(&self, newest: &KeyInfo, now: OffsetDateTime) -> bool {
        newest.created_at + self.rotate_after <= now
    }
}

/// States of all keys, newest first: the first that may sign does.
pub fn states(keys: &[KeyInfo], now: OffsetDateTime) -> Vec<KeyState> {
    let signer = keys.iter().position(|key| key.may_sign(now));
    let state = |index: usize| match signer {
        Some(signer) if index == signer => KeyState::Signing,
        Some(signer) if index > signer => KeyState::Retiring,
        _ => KeyState::Published,
    };
    (0..keys.len()).map(state).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn key(kid: &str, signs_at: OffsetDateTime) -> KeyInfo {
        KeyInfo { kid: kid.to_owned(), created_at: NOW, signs_at, retires_at: None }
    }

    #[test]
    fn the_newest_key_whose_time_has_come_signs() {
        let keys = [
            key("next", NOW + Duration::MINUTE),
            key("now", NOW),
            key("before", NOW - Duration::DAY),
        ];
        assert_eq!(
            states(&keys, NOW),
            [KeyState::Published, KeyState::Signing, KeyState::Retiring]
        );
        let later = NOW + Duration::MINUTE;
        assert_eq!(
            states(&keys, later),
            [KeyState::Signing, KeyState::Retiring, KeyState::Retiring]
        );
    }

    #[test]
    fn a_key_outlives_the_last_token_it_signed() {
        let plan = KeyPlan {
            lead: Duration::minutes(15),
            retirement: Duration::minutes(20),
            rotate_after: Duration::days(30),
        };
        let (signs_at, retires_at) = plan.succession(NOW);
        assert_eq!(signs_at, NOW + Duration::minutes(15));
        assert_eq!(retires_at - signs_at, Duration::minutes(20));
        assert!(!plan.is_due(&key("k", NOW), NOW + Duration::days(29)));
        assert!(plan.is_due(&key("k", NOW), NOW + Duration::days(30)));
    }
}
