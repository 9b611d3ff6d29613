//! An order and the changes it may go through.

use std::fmt;

use time::OffsetDateTime;
use types::{Money, MoneyError};
use uuid::Uuid;

/// An order. Every change goes through a method, which counts it in `version`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// UUIDv7: sorts by the time the order was placed.
    pub id: Uuid,
    pub user_id: Uuid,
    pub state: OrderState,
    /// At the prices of the moment the order was placed; never empty.
    pub lines: Vec<OrderLine>,
    /// The sum of the lines.
    pub total: Money,
    pub shipping_address: Address,
    /// Known from the moment the order is confirmed, or undone after it was paid.
    pub payment_id: Option<Uuid>,
    /// Present in states that undo the order, and only there.
    pub failure_reason: Option<String>,
    /// Placed by a prober: left out of figures about business.
    pub synthetic: bool,
    pub version: i64,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

/// Pieces of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    pub product_id: Uuid,
    pub name: String,
    pub quantity: i32,
    /// For one piece.
    pub unit_price: Money,
}

/// Where an order goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    pub recipient: String,
    pub street: String,
    pub city: String,
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country_code: String,
}

/// Where an order is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderState {
    Pending,
    Confirmed,
    Failed,
    Cancelling,
    Cancelled,
    Shipped,
    Delivered,
}

/// What is told to the rest of the platform about an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderFact {
    Placed,
    Confirmed,
    Failed,
    Cancelled,
}

impl Order {
    /// A new order. Fails when there are no lines, or when their prices do not add up.
    pub fn place(
        user_id: Uuid,
        lines: Vec<OrderLine>,
        shipping_address: Address,
        now: OffsetDateTime,
    ) -> Result<Self, MoneyError> {
        Ok(Self {
            id: Uuid::now_v7(),
            user_id,
            state: OrderState::Pending,
            total: total(&lines)?,
            lines,
            shipping_address,
            payment_id: None,
            failure_reason: None,
            synthetic: false,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// Stock and money are set aside for it.
    pub fn confirm(&mut self, payment_id: Option<Uuid>, now: OffsetDateTime) {
        self.payment_id = payment_id;
        self.become_state(OrderState::Confirmed, now);
    }

    /// Checkout came to nothing, and everything was put back.
    pub fn fail(&mut self, reason: &str, payment_id: Option<Uuid>, now: OffsetDateTime) {
        self.payment_id = payment_id;
        self.failure_reason = Some(reason.to_owned());
        self.become_state(OrderState::Failed, now);
    }

    /// Stock and money are to go back.
    pub fn begin_cancelling(
        &mut self,
        reason: &str,
        payment_id: Option<Uuid>,
        now: OffsetDateTime,
    ) {
        self.payment_id = payment_id;
        self.failure_reason = Some(reason.to_owned());
        self.become_state(OrderState::Cancelling, now);
    }

    /// Stock and money went back.
    pub fn cancelled(&mut self, now: OffsetDateTime) {
        self.become_state(OrderState::Cancelled, now);
    }

    fn become_state(&mut self, state: OrderState, now: OffsetDateTime) {
        debug_assert!(self.state.may_become(state), "{:?} became {state:?}", self.state);
        self.state = state;
        self.version += 1;
        self.updated_at = now;
    }
}

/// The sum of the lines.
fn total(lines: &[OrderLine]) -> Result<Money, MoneyError> {
    let mut totals = lines.iter().map(OrderLine::total);
    // An order has lines: an empty cart was refused before.
    let first = totals.next().unwrap_or(Err(MoneyError::Overflow))?;
    totals.try_fold(first, |sum, line| sum.checked_add(line?))
}

impl OrderLine {
    /// Price times quantity.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.unit_price.times(self.quantity)
    }
}

impl OrderState {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Pending, "pending"),
        (Self::Confirmed, "confirmed"),
        (Self::Failed, "failed"),
        (Self::Cancelling, "cancelling"),
        (Self::Cancelled, "cancelled"),
        (Self::Shipped, "shipped"),
        (Self::Delivered, "delivered"),
    ];

    /// The name it is stored by.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    /// The state stored by this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(state, _)| *state)
    }

    /// Nothing will change any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled | Self::Delivered)
    }

    /// The life of an order.
    pub fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Confirmed | Self::Failed | Self::Cancelling)
                | (Self::Confirmed, Self::Cancelling | Self::Shipped)
                | (Self::Cancelling, Self::Cancelled)
                | (Self::Shipped, Self::Delivered)
        )
    }
}

/// Describes a person: never shown.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_state_never_changes_and_every_state_has_its_name() {
        for (state, name) in OrderState::ALL {
            assert_eq!(OrderState::named(name), Some(state));
            assert_eq!(state.name(), name);
            let leads_on = OrderState::ALL.iter().any(|(next, _)| state.may_become(*next));
            assert_eq!(leads_on, !state.is_final(), "{name}");
        }
    }
}
