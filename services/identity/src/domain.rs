//! Accounts and refresh tokens, and the rules that hold for them.

pub mod refresh;
pub mod user;

pub use refresh::{HeldToken, NewToken, TokenHash, Verdict};
pub use user::{ADMIN, CUSTOMER, RuleBroken, User, UserChange};
