//! Stock that is set aside for an order.

use std::collections::BTreeMap;

use uuid::Uuid;

/// What became of an order's reservation. `Held` may become any of the others,
/// `Committed` only `Released`, `Expired` only `Committed`; `Released` is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The pieces are set aside.
    Held,
    /// The pieces are sold.
    Committed,
    /// The pieces are back, or were never set aside.
    Released,
    /// The pieces are back because time ran out.
    Expired,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Committed => "committed",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Held, Self::Committed, Self::Released, Self::Expired]
            .into_iter()
            .find(|state| state.name() == name)
    }

    /// What releasing does to the pieces; nothing when they are back already.
    pub fn release(self) -> Option<Move> {
        match self {
            Self::Held => Some(Move::PutBack),
            Self::Committed => Some(Move::TakeBack),
            Self::Released | Self::Expired => None,
        }
    }
}

/// Where a reservation's pieces go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// From reserved to the customer.
    Sell,
    /// From reserved to available.
    PutBack,
    /// From the customer to available.
    TakeBack,
    /// From available to the customer, whose reservation had run out.
    SellLate,
}

impl Move {
    /// What one piece adds to the available and to the reserved pieces.
    pub fn of_one(self) -> (i64, i64) {
        match self {
            Self::Sell => (0, -1),
            Self::PutBack => (1, -1),
            Self::TakeBack => (1, 0),
            Self::SellLate => (-1, 0),
        }
    }
}

/// Pieces of one product that an order wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub product: Uuid,
    pub quantity: i64,
    /// The first line of the request that names the product.
    pub line: usize,
}

/// One entry per product, by product, so that everybody takes stock in the same
/// order.
pub fn merge(lines: impl IntoIterator<Item = (Uuid, i64)>) -> Vec<Wanted> {
    let mut merged: BTreeMap<Uuid, Wanted> = BTreeMap::new();
    for (line, (product, quantity)) in lines.into_iter().enumerate() {
        let none = Wanted { product, quantity: 0, line };
        merged.entry(product).or_insert(none).quantity += quantity;
    }
    merged.into_values().collect()
}

/// A product of which there are too few pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    pub wanted: Wanted,
    pub available: i64,
}

/// The products that fall short, in the order of the request.
pub fn shortages(wanted: &[Wanted], available: &BTreeMap<Uuid, i64>) -> Vec<Shortage> {
    let mut short: Vec<_> = wanted
        .iter()
        .map(|&wanted| {
            let available = available.get(&wanted.product).copied().unwrap_or(0);
            Shortage { wanted, available }
        })
        .filter(|shortage| shortage.available < shortage.wanted.quantity)
        .collect();
    short.sort_by_key(|shortage| shortage.wanted.line);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_product_are_wanted_together() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let merged = merge([(b, 2), (a, 1), (b, 3)]);
        let expected = [
            Wanted { product: a, quantity: 1, line: 1 },
            Wanted { product: b, quantity: 5, line: 0 },
        ];
        assert_eq!(merged, expected);
    }

    #[test]
    fn every_short_product_is_named_in_the_order_of_the_lines() {
        let (a, b, c) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let wanted = merge([(c, 1), (b, 2), (a, 1)]);
        let short = shortages(&wanted, &BTreeMap::from([(a, 1), (b, 1)]));
        let lines: Vec<_> = short.iter().map(|s| (s.wanted.line, s.available)).collect();
        assert_eq!(lines, [(0, 0), (1, 1)]);
    }

    #[test]
    fn names_of_states_lead_back_to_them() {
        for state in [State::Held, State::Committed, State::Released, State::Expired] {
            assert_eq!(State::from_name(state.name()), Some(state));
        }
        assert_eq!(State::from_name("lost"), None);
    }

    #[test]
    fn selling_and_taking_back_is_putting_back() {
        let sum = |a: (i64, i64), b: (i64, i64)| (a.0 + b.0, a.1 + b.1);
        let sold_and_returned = sum(Move::Sell.of_one(), Move::TakeBack.of_one());
        assert_eq!(sold_and_returned, Move::PutBack.of_one());
        let sold_late_and_returned = sum(Move::SellLate.of_one(), Move::TakeBack.of_one());
        assert_eq!(sold_late_and_returned, (0, 0));
    }
}
