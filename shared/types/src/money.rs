//! Money as integer minor units with its currency (ISO 4217), never a float.

use std::fmt;
use std::str::FromStr;

/// A currency that the platform trades in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Currency {
    Chf,
    Eur,
    Gbp,
    Jpy,
    Usd,
}

impl Currency {
    /// Those that we sell in.
    pub const ALL: [Self; 5] = [Self::Chf, Self::Eur, Self::Gbp, Self::Jpy, Self::Usd];

    /// The ISO 4217 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Chf => "CHF",
            Self::Eur => "EUR",
            Self::Gbp => "GBP",
            Self::Jpy => "JPY",
            Self::Usd => "USD",
        }
    }

    /// How many minor units make one unit: 100 cents, but 1 yen.
    pub fn minor_per_unit(self) -> i64 {
        if self == Self::Jpy { 1 } else { 100 }
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        Self::ALL
            .into_iter()
            .find(|c| c.code() == code)
            .ok_or_else(|| MoneyError::UnknownCurrency(code.chars().take(8).collect()))
    }
}

/// An amount in minor currency units, for example 1,299 for EUR 12.99.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why an amount cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("currency {0} is not traded")]
    UnknownCurrency(String),
    #[error("{0} and {1} cannot be added")]
    MixedCurrencies(&'static str, &'static str),
    #[error("the amount is too large")]
    Overflow,
    #[error("the amount has a fraction of the smallest coin")]
    FractionOfMinorUnit,
    #[error("units and nanos have different signs")]
    MixedSigns,
}

impl Money {
    /// An amount in minor units.
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing.
    pub fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The amount in minor units.
    pub fn minor(self) -> i64 {
        self.minor
    }

    pub fn currency(self) -> Currency {
        self.currency
    }

    /// From the parts of `google.type.Money`.
    pub fn from_units(code: &str, units: i64, nanos: i32) -> Result<Self, MoneyError> {
        let currency: Currency = code.parse()?;
        if (units > 0 && nanos < 0) || (units < 0 && nanos > 0) {
            return Err(MoneyError::MixedSigns);
        }
        let scale = currency.minor_per_unit();
        let nanos_per_minor = 1_000_000_000 / scale;
        let nanos = i64::from(nanos);
        if nanos % nanos_per_minor != 0 || nanos.abs() > 999_999_999 {
            return Err(MoneyError::FractionOfMinorUnit);
        }
        let minor = units
            .checked_mul(scale)
            .and_then(|m| m.checked_add(nanos / nanos_per_minor))
            .ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, currency))
    }

    /// The whole units of `google.type.Money`.
    pub fn units(self) -> i64 {
        self.minor / self.currency.minor_per_unit()
    }

    /// The rest in billionths of a unit, with the sign of the amount.
    pub fn nanos(self) -> i32 {
        let scale = self.currency.minor_per_unit();
        // Below one unit, so it fits.
        ((self.minor % scale) * (1_000_000_000 / scale)) as i32
    }

    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            let (a, b) = (self.currency.code(), other.currency.code());
            return Err(MoneyError::MixedCurrencies(a, b));
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// The price of several pieces.
    pub fn times(self, quantity: i32) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(i64::from(quantity)).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = self.currency.minor_per_unit();
        let sign = if self.minor < 0 { "-" } else { "" };
        let minor = self.minor.unsigned_abs();
        let scale_abs = scale.unsigned_abs();
        write!(f, "{} {sign}{}", self.currency.code(), minor / scale_abs)?;
        if scale > 1 { write!(f, ".{:02}", minor % scale_abs) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_amount_survives_the_way_through_units_and_nanos(minor in any::<i64>()) {
            for currency in [Currency::Eur, Currency::Jpy] {
                let money = Money::new(minor, currency);
                let back = Money::from_units(currency.code(), money.units(), money.nanos());
                prop_assert_eq!(back, Ok(money));
            }
        }
    }

    #[test]
    fn a_fraction_of_a_cent_is_refused() {
        let refused = Money::from_units("EUR", 1, 5_000_000);
        assert_eq!(refused, Err(MoneyError::FractionOfMinorUnit));
        assert_eq!(Money::from_units("JPY", 1, 10_000_000), Err(MoneyError::FractionOfMinorUnit));
    }

    #[test]
    fn different_signs_unknown_currencies_and_overflow_are_refused() {
        assert_eq!(Money::from_units("EUR", 1, -10_000_000), Err(MoneyError::MixedSigns));
        assert!(matches!(Money::from_units("XXX", 1, 0), Err(MoneyError::UnknownCurrency(_))));
        assert_eq!(Money::from_units("EUR", i64::MAX, 0), Err(MoneyError::Overflow));
    }

    #[test]
    fn currencies_do_not_mix() {
        let sum = Money::new(1, Currency::Eur).checked_add(Money::new(1, Currency::Usd));
        assert_eq!(sum, Err(MoneyError::MixedCurrencies("EUR", "USD")));
    }

    #[test]
    fn money_reads_like_a_price() {
        assert_eq!(Money::new(-1299, Currency::Eur).to_string(), "EUR -12.99");
        assert_eq!(Money::new(500, Currency::Jpy).to_string(), "JPY 500");
    }
}
