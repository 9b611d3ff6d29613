//! Refresh tokens: each works once (RFC 9700, section 4.14).

use time::OffsetDateTime;
use uuid::Uuid;

/// SHA-256 of a refresh token: all that is ever stored of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(pub [u8; 32]);

/// A refresh token that is about to be given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewToken {
    pub hash: TokenHash,
    pub issued_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

/// A refresh token that was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldToken {
    /// Shared by all tokens that descend from one sign-in.
    pub family: Uuid,
    pub user: Uuid,
    /// The application that it was given to; none: our own.
    pub client: Option<Uuid>,
    pub expires_at: OffsetDateTime,
    pub used_at: Option<OffsetDateTime>,
    /// When the family was revoked.
    pub revoked_at: Option<OffsetDateTime>,
}

/// What to do with a token that somebody presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Exchange it.
    Good,
    /// Expired or revoked.
    Dead,
    /// Two parties hold it, and one of them is a thief: revoke the family.
    Reused,
}

impl HeldToken {
    /// Judges a token that is presented at `now`.
    pub fn present(&self, now: OffsetDateTime) -> Verdict {
        if self.revoked_at.is_some() {
            Verdict::Dead
        } else if self.used_at.is_some() {
            // Also when it has expired since: its descendants may be alive.
            Verdict::Reused
        } else if self.expires_at <= now {
            Verdict::Dead
        } else {
            Verdict::Good
        }
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn fresh() -> HeldToken {
        HeldToken {
            family: Uuid::nil(),
            user: Uuid::nil(),
            client: None,
            expires_at: NOW + Duration::days(30),
            used_at: None,
            revoked_at: None,
        }
    }

    #[test]
    fn a_token_is_good_until_the_moment_it_expires() {
        let token = fresh();
        assert_eq!(token.present(token.expires_at - Duration::seconds(1)), Verdict::Good);
        assert_eq!(token.present(token.expires_at), Verdict::Dead);
    }

    #[test]
    fn a_used_token_betrays_its_family_even_after_it_has_expired() {
        let token = HeldToken { used_at: Some(NOW), ..fresh() };
        assert_eq!(token.present(NOW), Verdict::Reused);
        assert_eq!(token.present(NOW + Duration::days(31)), Verdict::Reused);
    }

    #[test]
    fn a_revoked_family_has_only_dead_tokens() {
        let token = HeldToken { revoked_at: Some(NOW), ..fresh() };
        assert_eq!(token.present(NOW), Verdict::Dead);
        assert_eq!(HeldToken { used_at: Some(NOW), ..token }.present(NOW), Verdict::Dead);
    }
}
