//! Between plain values and their protobuf forms.

use prost_types::Timestamp;
use proto::google::r#type::Money as PbMoney;
use time::OffsetDateTime;
use types::Money;
use uuid::Uuid;

use crate::Problem;

/// To `google.type.Money`.
pub fn money(money: Money) -> PbMoney {
    PbMoney {
        currency_code: money.currency().code().to_owned(),
        units: money.units(),
        nanos: money.nanos(),
    }
}

/// From `google.type.Money`; `field` is its path in the request.
pub fn parse_money(field: &str, money: &PbMoney) -> Result<Money, Problem> {
    let PbMoney { currency_code, units, nanos } = money;
    Money::from_units(currency_code, *units, *nanos)
        .map_err(|e| Problem::field(field, e.to_string()))
}

/// To `google.protobuf.Timestamp`.
pub fn timestamp(time: OffsetDateTime) -> Timestamp {
    // Below a billion by definition, so it fits.
    Timestamp { seconds: time.unix_timestamp(), nanos: time.nanosecond() as i32 }
}

/// From `google.protobuf.Timestamp`; `field` is its path in the request.
pub fn parse_timestamp(field: &str, time: &Timestamp) -> Result<OffsetDateTime, Problem> {
    let nanos = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .map_err(|_| Problem::field(field, "is not a time"))
}

/// From the text form of a UUID; `field` is its path in the request. The contract
/// has checked the form already.
pub fn parse_id(field: &str, text: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(text).map_err(|_| Problem::field(field, "must be a UUID"))
}
