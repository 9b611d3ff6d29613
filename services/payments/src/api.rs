//! The contract's methods: parse, run the use case, convert.

mod checkout;
mod convert;
mod payment;

pub use checkout::CheckoutApi;
pub use payment::PaymentApi;
