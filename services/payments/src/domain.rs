//! Payments, refunds, and what a provider says about them.

mod account;
mod charge;
mod payment;
mod refund;

pub use account::{Account, Discrepancy, DiscrepancyKind, Named};
pub use charge::{Charge, ChargeState, Token};
pub use payment::{Event, Failure, Lesson, Payment, State};
pub use refund::{NewRefund, Refund, RefundError, RefundState, Requester};
