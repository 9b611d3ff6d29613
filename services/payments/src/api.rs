//! The contract's methods: parse, run the use case, convert.

mod checkout;
mod convert;
mod payment;
mod personal_data;

pub use checkout::CheckoutApi;
pub use payment::PaymentApi;
pub use personal_data::PersonalDataApi;
