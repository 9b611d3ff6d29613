//! Figures about business: how many orders came and what became of them. Orders of
//! probers are none.

use crate::domain::{Order, OrderState};

/// The states that an order is told of in.
const TOLD: [OrderState; 4] =
    [OrderState::Pending, OrderState::Confirmed, OrderState::Failed, OrderState::Cancelled];

/// Shows every figure from the start: a rise from nothing is not seen as one.
pub fn begin() {
    for state in TOLD {
        metrics::counter!("stoa_orders_total", "state" => state.name()).increment(0);
    }
}

/// An order was placed, or came to another state that others are told of.
pub fn count(order: &Order) {
    if !order.synthetic {
        metrics::counter!("stoa_orders_total", "state" => order.state.name()).increment(1);
    }
}
