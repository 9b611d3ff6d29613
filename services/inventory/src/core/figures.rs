//! Figures about business: sales that were lost because there was too little.

use super::Error;

const STOCK_OUTS: &str = "stoa_stock_outs_total";

/// Shows the figure from the start: a rise from nothing is not seen as one.
pub fn begin() {
    metrics::counter!(STOCK_OUTS).increment(0);
}

/// A customer's order was refused.
pub fn count(why: &Error) {
    if matches!(why, Error::Short(_)) {
        metrics::counter!(STOCK_OUTS).increment(1);
    }
}
