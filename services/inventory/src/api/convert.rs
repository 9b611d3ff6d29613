//! Between the domain and the contract.

use grpc::Problem;
use grpc::convert::{parse_id, timestamp};
use proto::inventory::v1 as pb;
use uuid::Uuid;

use crate::core::Error;
use crate::domain::{Adjustment, Level, Shortage, Stock};

pub(super) fn stock(stock: Stock) -> pb::Stock {
    let Stock { product, level: Level { available, reserved }, updated } = stock;
    let update_time = updated.map(timestamp);
    pb::Stock { product_id: product.to_string(), available, reserved, update_time }
}

pub(super) fn adjustment(
    user: Uuid,
    key: String,
    request: pb::AdjustStockRequest,
) -> Result<Adjustment, Problem> {
    let pb::AdjustStockRequest { product_id, delta, reason } = request;
    let product = parse_id("product_id", &product_id)?;
    if reason.chars().any(char::is_control) {
        return Err(Problem::field("reason", "must not hold control characters"));
    }
    Ok(Adjustment { user, key, product, delta, reason })
}

pub(super) fn lines(lines: Vec<pb::Line>) -> Result<Vec<(Uuid, i64)>, Problem> {
    let line = |(index, pb::Line { product_id, quantity })| {
        let product = parse_id(&format!("lines[{index}].product_id"), &product_id)?;
        Ok((product, i64::from(quantity)))
    };
    lines.into_iter().enumerate().map(line).collect()
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::TooFewAvailable { .. } => {
                Self::precondition("STOCK_INSUFFICIENT", text.clone()).with_field("delta", text)
            }
            Error::Short(shortages) => {
                let problem = Self::precondition("STOCK_INSUFFICIENT", text);
                shortages.into_iter().fold(problem, name_shortage)
            }
            Error::Closed(_) | Error::Forgotten(_) => Self::precondition("RESERVATION_CLOSED", text),
            Error::ReservationNotFound(_) => Self::not_found("RESERVATION_NOT_FOUND", text),
            Error::KeyReused => Self::already_exists("IDEMPOTENCY_KEY_REUSED", text),
            Error::Unavailable(_) => {
                tracing::warn!(error = text, "the database does not answer (DATABASE_URL)");
                Self::unavailable("DATABASE_UNAVAILABLE", "try again in a moment")
            }
            Error::Internal(cause) => Self::internal(cause),
        }
    }
}

fn name_shortage(problem: Problem, shortage: Shortage) -> Problem {
    let Shortage { wanted, available } = shortage;
    let text = format!(
        "product {}: {} pieces wanted, {available} available",
        wanted.product, wanted.quantity
    );
    problem.with_field(&format!("lines[{}].quantity", wanted.line), text)
}
