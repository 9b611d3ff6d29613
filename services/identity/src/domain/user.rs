//! An account and the rules for changing it.

use time::OffsetDateTime;
use uuid::Uuid;

use super::RoleNames;

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
    /// At least one.
    pub roles: RoleNames,
    /// Permissions that the roles give which administrators made.
    pub entitlements: Vec<String>,
    pub created_at: OffsetDateTime,
    /// The user has proven that the address is theirs.
    pub email_verified: bool,
    /// Signing in needs a one-time code.
    pub second_factor: bool,
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
        Ok(Self {
            id,
            email,
            display_name,
            roles: RoleNames { built_in: vec![role.to_owned()], custom: Vec::new() },
            entitlements: Vec::new(),
            created_at: now,
            email_verified: false,
            second_factor: false,
        })
    }

    pub fn is_admin(&self) -> bool {
        self.roles.built_in.iter().any(|role| role == ADMIN)
    }

    /// Takes another name.
    pub fn rename(&mut self, name: String) -> Result<(), RuleBroken> {
        check_name(&name)?;
        self.display_name = name;
        Ok(())
    }

    /// Takes other roles. `other_admins`: whether somebody else is an admin.
    pub fn take_roles(&mut self, roles: RoleNames, other_admins: bool) -> Result<(), RuleBroken> {
        let steps_down = self.is_admin() && !roles.built_in.iter().any(|role| role == ADMIN);
        if steps_down && !other_admins {
            return Err(RuleBroken::LastAdmin);
        }
        self.roles = roles;
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

    fn roles(names: &[&str]) -> RoleNames {
        let built_in = names.iter().map(ToString::to_string).collect();
        RoleNames { built_in, custom: Vec::new() }
    }

    #[test]
    fn the_last_admin_cannot_step_down_but_one_of_two_can() -> Result<(), RuleBroken> {
        let mut admin = user(ADMIN)?;
        let refused = admin.take_roles(roles(&[CUSTOMER]), false);
        assert_eq!(refused, Err(RuleBroken::LastAdmin));
        assert!(admin.is_admin());
        admin.take_roles(roles(&[CUSTOMER]), true)?;
        assert!(!admin.is_admin());
        Ok(())
    }

    #[test]
    fn the_last_admin_may_take_more_roles_and_others_may_take_any() -> Result<(), RuleBroken> {
        user(ADMIN)?.take_roles(roles(&["manager", ADMIN]), false)?;
        user(CUSTOMER)?.take_roles(roles(&["manager"]), false)
    }

    #[test]
    fn a_name_must_say_something_printable() -> Result<(), RuleBroken> {
        let mut user = user(CUSTOMER)?;
        let mut rename = |name: &str| user.rename(name.to_owned());
        assert_eq!(rename("  "), Err(RuleBroken::NameEmpty));
        assert_eq!(rename("Ada\r\nBcc: all"), Err(RuleBroken::NameUnprintable));
        assert_eq!(rename("a\0b"), Err(RuleBroken::NameUnprintable));
        assert_eq!(rename("Ada Lovelace"), Ok(()));
        assert_eq!(user.display_name, "Ada Lovelace");
        Ok(())
    }
}
