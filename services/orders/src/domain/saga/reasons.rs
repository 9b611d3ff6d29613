//! Why orders fail and are cancelled, as customers are told.

pub(super) const CANCELLED_BY_CUSTOMER: &str = "CANCELLED_BY_CUSTOMER";
pub(super) const CANCELLED_BY_OPERATOR: &str = "CANCELLED_BY_OPERATOR";
pub(super) const CHECKOUT_TIMED_OUT: &str = "CHECKOUT_TIMED_OUT";

/// What customers and other services are told; a closed set.
pub(super) fn public_reason(reason: &str) -> &'static str {
    const KNOWN: [(&str, &str); 7] = [
        ("STOCK_INSUFFICIENT", "OUT_OF_STOCK"),
        ("RESERVATION_CLOSED", "RESERVATION_CLOSED"),
        ("PAYMENT_DECLINED", "PAYMENT_DECLINED"),
        ("PAYMENT_ACTION_REQUIRED", "PAYMENT_ACTION_REQUIRED"),
        ("PAYMENT_CLOSED", "PAYMENT_CLOSED"),
        ("STOCK_LOST", "STOCK_LOST"),
        ("PAYMENT_LOST", "PAYMENT_LOST"),
    ];
    KNOWN
        .iter()
        .find(|(known, _)| *known == reason)
        .map_or("CHECKOUT_REFUSED", |(_, public)| public)
}
