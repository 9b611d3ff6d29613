//! What is told about an order, as the contract's messages.

use grpc::convert;
use proto::orders::v1 as pb;
use sqlx::PgConnection;

use crate::core::Error;
use crate::domain::{Order, OrderFact, OrderLine};
use crate::infrastructure::database_error;

/// Puts a fact into the outbox, in the transaction of the change it is about.
pub(super) async fn publish(
    conn: &mut PgConnection,
    order: &Order,
    fact: OrderFact,
) -> Result<(), Error> {
    let (order_id, user_id) = (order.id.to_string(), order.user_id.to_string());
    let total = Some(convert::money(order.total));
    let published = match fact {
        OrderFact::Placed => {
            events::publish(conn, &pb::OrderPlaced { order_id, user_id, total }).await
        }
        OrderFact::Confirmed => {
            let lines = order.lines.iter().map(line).collect::<Result<_, _>>()?;
            events::publish(conn, &pb::OrderConfirmed { order_id, user_id, total, lines }).await
        }
        OrderFact::Failed => {
            let reason = order.failure_reason.clone().unwrap_or_default();
            events::publish(conn, &pb::OrderFailed { order_id, user_id, reason }).await
        }
        OrderFact::Cancelled => {
            events::publish(conn, &pb::OrderCancelled { order_id, user_id, total }).await
        }
    };
    published.map_err(database_error)?;
    Ok(())
}

fn line(line: &OrderLine) -> Result<pb::OrderedLine, Error> {
    let total = line.total().map_err(|error| Error::Internal(error.to_string()))?;
    Ok(pb::OrderedLine {
        product_id: line.product_id.to_string(),
        name: line.name.clone(),
        quantity: line.quantity,
        line_total: Some(convert::money(total)),
    })
}
