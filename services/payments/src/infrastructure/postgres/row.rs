//! Rows and the domain's values.

use sqlx::error::BoxDynError;
use time::OffsetDateTime;
use types::Money;
use uuid::Uuid;

use crate::core::Error;
use crate::domain::{Failure, Payment, Refund, RefundState, State, Token};

/// The columns of a [`PaymentRow`].
macro_rules! payment_columns {
    () => {
        "payments.id, payments.order_id, payments.user_id, payments.amount_minor, \
         payments.currency, payments.state, payments.provider, payments.provider_charge_id, \
         payments.failure_reason, payments.refunded_minor, payments.refunding_minor, \
         payments.token, payments.synthetic, payments.version, payments.created_at, \
         payments.updated_at"
    };
}

pub(super) use payment_columns;

#[derive(sqlx::FromRow)]
pub(super) struct PaymentRow {
    id: Uuid,
    order_id: Uuid,
    user_id: Uuid,
    amount_minor: i64,
    currency: String,
    state: String,
    provider: String,
    provider_charge_id: Option<String>,
    failure_reason: Option<String>,
    refunded_minor: i64,
    refunding_minor: i64,
    token: Option<String>,
    synthetic: bool,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl TryFrom<PaymentRow> for Payment {
    type Error = Error;

    fn try_from(row: PaymentRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.id,
            order_id: row.order_id,
            user_id: row.user_id,
            amount: money(row.amount_minor, &row.currency)?,
            state: state(&row.state, row.failure_reason.as_deref())?,
            provider: row.provider,
            charge_id: row.provider_charge_id,
            refunded_minor: row.refunded_minor,
            refunding_minor: row.refunding_minor,
            token: row.token.map(Token::new),
            synthetic: row.synthetic,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct RefundRow {
    id: Uuid,
    payment_id: Uuid,
    amount_minor: i64,
    currency: String,
    state: String,
    created_at: OffsetDateTime,
}

impl TryFrom<RefundRow> for Refund {
    type Error = Error;

    fn try_from(row: RefundRow) -> Result<Self, Error> {
        let state = match row.state.as_str() {
            "pending" => RefundState::Pending,
            "succeeded" => RefundState::Succeeded,
            "failed" => RefundState::Failed,
            other => return Err(unknown("refund state", other)),
        };
        let amount = money(row.amount_minor, &row.currency)?;
        let created_at = row.created_at;
        Ok(Self { id: row.id, payment_id: row.payment_id, amount, state, created_at })
    }
}

pub(super) fn all<R, T: TryFrom<R, Error = Error>>(rows: Vec<R>) -> Result<Vec<T>, Error> {
    rows.into_iter().map(T::try_from).collect()
}

/// The name of a state and, for a failure, its reason.
pub(super) fn state_names(state: State) -> (&'static str, Option<&'static str>) {
    match state {
        State::Pending => ("pending", None),
        State::Authorized => ("authorized", None),
        State::Captured => ("captured", None),
        State::Failed(why) => ("failed", Some(why.reason())),
        State::Voided => ("voided", None),
        State::PartiallyRefunded => ("partially_refunded", None),
        State::Refunded => ("refunded", None),
    }
}

fn state(name: &str, failure: Option<&str>) -> Result<State, Error> {
    Ok(match name {
        "pending" => State::Pending,
        "authorized" => State::Authorized,
        "captured" => State::Captured,
        "failed" => State::Failed(self::failure(failure.unwrap_or_default())?),
        "voided" => State::Voided,
        "partially_refunded" => State::PartiallyRefunded,
        "refunded" => State::Refunded,
        other => return Err(unknown("payment state", other)),
    })
}

fn failure(reason: &str) -> Result<Failure, Error> {
    [Failure::Declined, Failure::ActionRequired]
        .into_iter()
        .find(|f| f.reason() == reason)
        .ok_or_else(|| unknown("failure reason", reason))
}

pub(super) fn money(minor: i64, currency: &str) -> Result<Money, Error> {
    Ok(Money::new(minor, currency.parse().map_err(Error::store)?))
}

/// A value that only a newer version of this service can have written.
fn unknown(what: &str, value: &str) -> Error {
    Error::store(BoxDynError::from(format!("unknown {what} {value:?}")))
}
