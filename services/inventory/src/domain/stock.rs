//! How many pieces there are, and how people change that.

use time::OffsetDateTime;
use uuid::Uuid;

/// A product's stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stock {
    pub product: Uuid,
    pub level: Level,
    /// When it last changed; nothing if it never did.
    pub updated: Option<OffsetDateTime>,
}

/// Pieces of a product. Neither count is ever negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Level {
    /// Can be bought.
    pub available: i64,
    /// Set aside for orders in checkout.
    pub reserved: i64,
}

/// A change of a product's stock by a person. A person's key names one change: the
/// same change again has no further effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    pub user: Uuid,
    pub key: String,
    pub product: Uuid,
    /// Pieces to add; negative to take away.
    pub delta: i64,
    /// For the audit trail.
    pub reason: String,
}

/// Whether a change took the available pieces from above the threshold to the
/// threshold or below it.
pub fn falls_low(before: i64, after: i64, threshold: i64) -> bool {
    before > threshold && after <= threshold
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_falls_low_once_on_its_way_down() {
        assert!(falls_low(6, 5, 5));
        assert!(falls_low(9, 0, 5));
        assert!(!falls_low(7, 6, 5));
        assert!(!falls_low(5, 4, 5));
        assert!(!falls_low(4, 9, 5));
    }
}
