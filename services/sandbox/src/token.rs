//! Test tokens: what a customer's means of payment does.

/// A test token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// Approves at once.
    Approves,
    /// Approves; the answer comes late.
    Slow,
    /// Approves; the answer comes after every client has given up.
    TimesOut,
    /// Refuses, with this code.
    Declines(&'static str),
    /// Answers 503 and does nothing.
    Unavailable,
}

impl Token {
    /// The token with this name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "tok_visa" | "tok_mastercard" => Self::Approves,
            "tok_slow" => Self::Slow,
            "tok_timeout" => Self::TimesOut,
            "tok_declined" => Self::Declines("card_declined"),
            "tok_insufficient_funds" => Self::Declines("insufficient_funds"),
            "tok_expired_card" => Self::Declines("expired_card"),
            "tok_requires_action" => Self::Declines("action_required"),
            "tok_unavailable" => Self::Unavailable,
            _ => return None,
        })
    }

    /// Why it refuses, if it does.
    pub fn failure(self) -> Option<&'static str> {
        match self {
            Self::Declines(code) => Some(code),
            Self::Approves | Self::Slow | Self::TimesOut | Self::Unavailable => None,
        }
    }
}
