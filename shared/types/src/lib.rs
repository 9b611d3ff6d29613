//! Plain values that every domain shares.

pub mod money;
pub mod page;

pub use money::{Currency, Money, MoneyError};
pub use page::{PageSize, PageToken};
