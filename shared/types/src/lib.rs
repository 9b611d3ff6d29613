//! Plain values that every domain shares.

pub mod money;
mod now;
pub mod page;

pub use money::{Currency, Money, MoneyError};
pub use now::now;
pub use page::{PageSize, PageToken};
