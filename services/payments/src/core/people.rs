//! What is known of people, for them to see and for erasure.

use uuid::Uuid;

use super::ports::RefundRecord;
use super::{Error, Payments};
use crate::domain::Payment;

/// Payments read at a time for an export.
const PAGE: i64 = 100;

/// The most refunds in an export.
const REFUNDS: i64 = 1_000;

impl Payments {
    /// Erases a user. True when nothing is left of the person; otherwise a payment or
    /// a refund has to be settled first.
    pub async fn erase(&self, user: Uuid) -> Result<bool, Error> {
        self.people.erase(user).await
    }

    /// The user's next payments for an export, the oldest first, those younger than
    /// `after`; none when there are no more.
    pub async fn page_of(&self, user: Uuid, after: Uuid) -> Result<Vec<Payment>, Error> {
        self.people.payments(user, after, PAGE).await
    }

    /// The refunds that concern the user.
    pub async fn refunds_of(&self, user: Uuid) -> Result<Vec<RefundRecord>, Error> {
        self.people.refunds(user, REFUNDS).await
    }
}
