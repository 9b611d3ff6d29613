//! Accounts and refresh tokens, and the rules that hold for them.

pub mod address;
pub mod guesses;
pub mod mail;
pub mod oauth;
pub mod password;
pub mod refresh;
pub mod role;
pub mod security_event;
pub mod signing_key;
pub mod user;

pub use address::{AddressChange, PostalAddress, SavedAddress};
pub use guesses::{Limit, Subject};
pub use mail::{MailPurpose, MailRequest};
pub use refresh::{HeldToken, NewToken, TokenHash, Verdict};
pub use role::{BuiltIn, Catalogue, CustomRole, NotHeld, RoleChange, RoleNames};
pub use security_event::{Event, EventKind, Origin};
pub use signing_key::{KeyInfo, KeyPlan, KeyState};
pub use user::{ADMIN, CUSTOMER, RuleBroken, User};
