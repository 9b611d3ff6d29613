//! An account and the rules for changing it.

use time::OffsetDateTime;
use uuid::Uuid;

/// The role of whoever registers.
pub const CUSTOMER: &str = "customer";
/// The role that gives roles; somebody must always have it.
pub const ADMIN: &str = "admin";

/// An account, without its credentials.
///
/// Its display name is neither empty nor does it hold control characters: it goes
/// into mail headers and logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// UUIDv7, so that ids sort by time of creation.
    pub id: Uuid,
    /// As given; compared without regard to case.
    pub email: String,
    pub display_name: String,
    /// Role names of the contract; at least one.
    pub roles: Vec<String>,
    pub created_at: OffsetDateTime,
    /// The user has proven that the address is theirs.
    pub email_verified: bool,
    /// Signing in needs a one-time code.
    pub second_factor: bool,
}

/// What can be changed about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserChange {
    DisplayName(String),
    Roles(Vec<String>),
}

/// Why an account cannot be as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RuleBroken {
    #[error("a display name must not be empty")]
    NameEmpty,
    #[error("a display name must not contain control characters")]
    NameUnprintable,
    #[error("the last admin must stay one")]
    LastAdmin,
}

impl User {
    /// A new account with one role.
    pub fn new(
        id: Uuid,
        email: String,
        display_name: String,
        role: &str,
        now: OffsetDateTime,
    ) -> Result<Self, RuleBroken> {
        check_name(&display_name)?;
        let roles = vec![role.to_owned()];
        let (email_verified, second_factor) = (false, false);
        Ok(Self { id, email, display_name, roles, created_at: now, email_verified, second_factor })
    }

    pub fn is_admin(&self) -> bool {
        self.roles.iter().any(|role| role == ADMIN)
    }

    /// Applies a change. `other_admins`: whether somebody else is an admin.
    pub fn apply(&mut self, change: UserChange, other_admins: bool) -> Result<(), RuleBroken> {
        match change {
            UserChange::DisplayName(name) => {
                check_name(&name)?;
                self.display_name = name;
            }
            UserChange::Roles(roles) => {
                let steps_down = self.is_admin() && !roles.iter().any(|role| role == ADMIN);
                if steps_down && !other_admins {
                    return Err(RuleBroken::LastAdmin);
                }
                self.roles = roles;
            }
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), RuleBroken> {
    if name.trim().is_empty() {
        return Err(RuleBroken::NameEmpty);
    }
    if name.chars().any(char::is_control) {
        return Err(RuleBroken::NameUnprintable);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(role: &str) -> Result<User, RuleBroken> {
        let (email, name) = ("ada@example.com".to_owned(), "Ada".to_owned());
        User::new(Uuid::nil(), email, name, role, OffsetDateTime::UNIX_EPOCH)
    }

    fn roles(names: &[&str]) -> UserChange {
        UserChange::Roles(names.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_last_admin_cannot_step_down_but_one_of_two_can() -> Result<(), RuleBroken> {
        let mut admin = user(ADMIN)?;
        let refused = admin.apply(roles(&[CUSTOMER]), false);
        assert_eq!(refused, Err(RuleBroken::LastAdmin));
        assert!(admin.is_admin());
        admin.apply(roles(&[CUSTOMER]), true)?;
        assert!(!admin.is_admin());
        Ok(())
    }

    #[test]
    fn the_last_admin_may_take_more_roles_and_others_may_take_any() -> Result<(), RuleBroken> {
        user(ADMIN)?.apply(roles(&["manager", ADMIN]), false)?;
        user(CUSTOMER)?.apply(roles(&["manager"]), false)
    }

    #[test]
    fn a_name_must_say_something_printable() -> Result<(), RuleBroken> {
        let mut user = user(CUSTOMER)?;
        let mut rename = |name: &str| user.apply(UserChange::DisplayName(name.to_owned()), true);
        assert_eq!(rename("  "), Err(RuleBroken::NameEmpty));
        assert_eq!(rename("Ada\r\nBcc: all"), Err(RuleBroken::NameUnprintable));
        assert_eq!(rename("a\0b"), Err(RuleBroken::NameUnprintable));
        assert_eq!(rename("Ada Lovelace"), Ok(()));
        assert_eq!(user.display_name, "Ada Lovelace");
        Ok(())
    }
}
