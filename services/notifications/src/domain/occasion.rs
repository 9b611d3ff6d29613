//! What happened that a user is told about.

use time::OffsetDateTime;
use types::Money;
use uuid::Uuid;

use super::{Kind, SecurityEvent, one_line};

/// Something that happened to a user's account or order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occasion {
    Registered,
    OrderConfirmed { order_id: Uuid, total: Money, lines: Vec<Line> },
    OrderFailed { order_id: Uuid, reason: String },
    OrderCancelled { order_id: Uuid, total: Money },
    PaymentRefunded { order_id: Uuid, amount: Money },
    EmailToVerify,
    PasswordToReset,
    Security { event: SecurityEvent, at: OffsetDateTime },
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// One line of text.
    pub name: String,
    pub quantity: i32,
    pub total: Money,
}

impl Line {
    pub fn new(name: &str, quantity: i32, total: Money) -> Self {
        Self { name: one_line(name), quantity, total }
    }
}

impl Occasion {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Registered => Kind::Welcome,
            Self::OrderConfirmed { .. } => Kind::OrderConfirmed,
            Self::OrderFailed { .. } => Kind::OrderFailed,
            Self::OrderCancelled { .. } => Kind::OrderCancelled,
            Self::PaymentRefunded { .. } => Kind::PaymentRefunded,
            Self::EmailToVerify => Kind::VerifyEmail,
            Self::PasswordToReset => Kind::ResetPassword,
            Self::Security { event: SecurityEvent::AccountClosed, at: _ } => Kind::AccountClosed,
            Self::Security { .. } => Kind::Security,
        }
    }

    /// The name of its template.
    pub fn template(&self) -> &'static str {
        match self {
            Self::Security { event, at: _ } => event.template(),
            _ => self.kind().name(),
        }
    }

    /// The order it is about, if it is about one.
    pub fn order_id(&self) -> Option<Uuid> {
        match self {
            Self::Registered
            | Self::EmailToVerify
            | Self::PasswordToReset
            | Self::Security { .. } => None,
            Self::OrderConfirmed { order_id, .. }
            | Self::OrderFailed { order_id, .. }
            | Self::OrderCancelled { order_id, .. }
            | Self::PaymentRefunded { order_id, .. } => Some(*order_id),
        }
    }
}

/// A failed order's reason in words for its customer. Reasons may be added: an
/// unknown one is no error.
pub fn explanation(reason: &str) -> &'static str {
    match reason {
        "OUT_OF_STOCK" | "STOCK_LOST" => "something in it is no longer in stock.",
        "RESERVATION_CLOSED" | "CHECKOUT_TIMED_OUT" => "checkout took too long.",
        "PAYMENT_DECLINED" => "your payment was declined.",
        "PAYMENT_ACTION_REQUIRED" => "your bank asks you to confirm the payment.",
        "CANCELLED_BY_CUSTOMER" => "you cancelled it.",
        _ => "something went wrong during checkout.",
    }
}
