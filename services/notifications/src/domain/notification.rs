//! A notification and whom it is for.

use time::OffsetDateTime;
use uuid::Uuid;

use super::one_line;

/// What a notification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Welcome,
    OrderConfirmed,
    OrderFailed,
    OrderCancelled,
    PaymentRefunded,
    /// The user is to prove that the address is theirs.
    VerifyEmail,
    /// The user is to set a new password.
    ResetPassword,
    /// Something happened to the account.
    Security,
    /// The last that a user is told: it is sent also while they are being erased.
    AccountClosed,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Welcome,
        Self::OrderConfirmed,
        Self::OrderFailed,
        Self::OrderCancelled,
        Self::PaymentRefunded,
        Self::VerifyEmail,
        Self::ResetPassword,
        Self::Security,
        Self::AccountClosed,
    ];

    /// The name it is stored under.
    pub fn name(self) -> &'static str {
        match self {
            Self::Welcome => "welcome",
            Self::OrderConfirmed => "order_confirmed",
            Self::OrderFailed => "order_failed",
            Self::OrderCancelled => "order_cancelled",
            Self::PaymentRefunded => "payment_refunded",
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::Security => "security",
            Self::AccountClosed => "account_closed",
        }
    }

    /// Whether its e-mail is sent whatever the user's preferences say: whoever took an
    /// account over would turn them off first.
    pub fn is_mandatory(self) -> bool {
        match self {
            Self::VerifyEmail | Self::ResetPassword | Self::Security | Self::AccountClosed => true,
            Self::Welcome
            | Self::OrderConfirmed
            | Self::OrderFailed
            | Self::OrderCancelled
            | Self::PaymentRefunded => false,
        }
    }

    /// The page of the shop that the token in its e-mail is for; nothing when there is
    /// no token in it.
    pub fn token_page(self) -> Option<&'static str> {
        match self {
            Self::VerifyEmail => Some("/verify-email"),
            Self::ResetPassword => Some("/reset-password"),
            _ => None,
        }
    }

    /// By the name it is stored under.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A subject of one line and a plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub subject: String,
    pub body: String,
}

/// Something a user is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// UUIDv7, so that ids sort by time of creation.
    pub id: Uuid,
    pub user_id: Uuid,
    pub kind: Kind,
    pub text: Text,
    /// The order it is about, if it is about one.
    pub order_id: Option<Uuid>,
    pub created_at: OffsetDateTime,
}

/// Where mail for a user goes.
///
/// Both fields are one line each: they become mail headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    pub user_id: Uuid,
    pub email: String,
    pub display_name: String,
}

impl Contact {
    /// Takes what could break a header out of address and name.
    pub fn new(user_id: Uuid, email: &str, display_name: &str) -> Self {
        Self { user_id, email: one_line(email), display_name: one_line(display_name) }
    }
}

/// How a user wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferences {
    /// Also by e-mail.
    pub email: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { email: true }
    }
}
