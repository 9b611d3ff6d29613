//! Between the contract's messages and ours.

use grpc::convert::{money, timestamp};
use grpc::{Problem, User};
use proto::orders::v1 as pb;
use proto::types::v1 as shapes;

use crate::core::place::PlaceOrder;
use crate::domain::{Address, Order, OrderLine, OrderState, PaymentToken};

pub(super) fn place_order(
    user: &User,
    idempotency_key: String,
    request: pb::PlaceOrderRequest,
) -> Result<PlaceOrder, Problem> {
    let pb::PlaceOrderRequest { payment_token, shipping_address } = request;
    let missing = || Problem::field("shipping_address", "is required");
    let shapes::Address { recipient, street, city, postal_code, country_code } =
        shipping_address.ok_or_else(missing)?;
    Ok(PlaceOrder {
        user: user.id,
        synthetic: user.is_synthetic(),
        idempotency_key,
        payment_token: PaymentToken(payment_token),
        shipping_address: Address { recipient, street, city, postal_code, country_code },
    })
}

pub(super) fn order(order: Order) -> Result<pb::Order, Problem> {
    let Order {
        id,
        user_id: _,
        state: at,
        lines,
        total,
        shipping_address,
        payment_id,
        failure_reason,
        synthetic: _,
        version: _,
        created_at,
        updated_at,
    } = order;
    Ok(pb::Order {
        order_id: id.to_string(),
        state: state(at).into(),
        lines: lines.into_iter().map(line).collect::<Result<_, _>>()?,
        total: Some(money(total)),
        shipping_address: address(shipping_address),
        payment_id: payment_id.map(|id| id.to_string()).unwrap_or_default(),
        failure_reason: failure_reason.unwrap_or_default(),
        create_time: Some(timestamp(created_at)),
        update_time: Some(timestamp(updated_at)),
    })
}

/// Absent when its customer was erased: whoever waits for an order that moment sees it
/// so.
fn address(address: Address) -> Option<shapes::Address> {
    let Address { recipient, street, city, postal_code, country_code } = address;
    let known = !recipient.is_empty();
    known.then_some(shapes::Address { recipient, street, city, postal_code, country_code })
}

fn line(line: OrderLine) -> Result<pb::OrderLine, Problem> {
    let total = line.total().map_err(Problem::internal)?;
    let OrderLine { product_id, name, quantity, unit_price } = line;
    Ok(pb::OrderLine {
        product_id: product_id.to_string(),
        name,
        quantity,
        unit_price: Some(money(unit_price)),
        line_total: Some(money(total)),
    })
}

pub(super) fn state(state: OrderState) -> pb::OrderState {
    match state {
        OrderState::Pending => pb::OrderState::Pending,
        OrderState::Confirmed => pb::OrderState::Confirmed,
        OrderState::Failed => pb::OrderState::Failed,
        OrderState::Cancelling => pb::OrderState::Cancelling,
        OrderState::Cancelled => pb::OrderState::Cancelled,
        OrderState::Shipped => pb::OrderState::Shipped,
        OrderState::Delivered => pb::OrderState::Delivered,
    }
}
