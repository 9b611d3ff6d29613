//! Roles: those of the contract, and those that administrators make of its permissions.

use std::collections::BTreeSet;

use time::OffsetDateTime;

/// The most roles that administrators make.
pub const MOST_ROLES: usize = 150;

/// A role of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltIn {
    pub name: &'static str,
    pub permissions: &'static [&'static str],
}

/// A role that administrators made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomRole {
    /// A slug; never that of a role that the contract had at the time.
    pub name: String,
    pub title: String,
    pub description: String,
    /// Sorted. A later contract may have lost one.
    pub permissions: Vec<String>,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

/// What is to be different about a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleChange {
    pub title: Option<String>,
    pub description: Option<String>,
    pub permissions: Option<Vec<String>>,
}

/// The roles and permissions there are.
#[derive(Debug, Clone)]
pub struct Catalogue {
    pub built_in: Vec<BuiltIn>,
    pub custom: Vec<CustomRole>,
}

/// A permission that somebody would give or take and does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotHeld(pub String);

/// Names of roles, by who made them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleNames {
    /// Those of the contract.
    pub built_in: Vec<String>,
    /// Those that administrators made.
    pub custom: Vec<String>,
}

impl Catalogue {
    pub fn is_built_in(&self, role: &str) -> bool {
        self.built_in.iter().any(|built_in| built_in.name == role)
    }

    /// Whether the contract has a permission.
    pub fn has(&self, permission: &str) -> bool {
        self.built_in.iter().any(|role| role.permissions.contains(&permission))
    }

    /// Tells roles apart; fails with the place of one that does not exist. A role of the
    /// contract comes before one of the same name.
    pub fn sort_out(&self, roles: &[String]) -> Result<RoleNames, usize> {
        let mut names = RoleNames::default();
        for (i, role) in roles.iter().enumerate() {
            if self.is_built_in(role) {
                names.built_in.push(role.clone());
            } else if self.custom.iter().any(|custom| custom.name == *role) {
                names.custom.push(role.clone());
            } else {
                return Err(i);
            }
        }
        Ok(names)
    }

    /// What roles permit together, as far as the contract still has it.
    pub fn permissions<'a>(&'a self, roles: &RoleNames) -> BTreeSet<&'a str> {
        let of_contract =
            self.built_in.iter().filter(|r| roles.built_in.iter().any(|n| n == r.name));
        let made = self.custom.iter().filter(|r| roles.custom.contains(&r.name));
        let of_contract = of_contract.flat_map(|role| role.permissions.iter().copied());
        let made = made.flat_map(|role| role.permissions.iter().map(String::as_str));
        of_contract.chain(made.filter(|permission| self.has(permission))).collect()
    }

    /// Whether somebody may exchange roles: whoever gives or takes one holds all that it
    /// permits. Otherwise a right to give roles were a right to everything, and a right
    /// to take them one against everybody who is more powerful.
    pub fn may_exchange(
        &self,
        giver: &RoleNames,
        before: &RoleNames,
        after: &RoleNames,
    ) -> Result<(), NotHeld> {
        let differ = |a: &[String], b: &[String]| -> Vec<String> {
            let only = |a: &[String], b: &[String]| -> Vec<String> {
                a.iter().filter(|name| !b.contains(name)).cloned().collect()
            };
            [only(a, b), only(b, a)].concat()
        };
        let changed = RoleNames {
            built_in: differ(&before.built_in, &after.built_in),
            custom: differ(&before.custom, &after.custom),
        };
        self.holds(giver, self.permissions(&changed))
    }

    /// Whether somebody may exchange permissions.
    pub fn may_permit(
        &self,
        giver: &RoleNames,
        before: &[String],
        after: &[String],
    ) -> Result<(), NotHeld> {
        let (before, after): (BTreeSet<_>, BTreeSet<_>) =
            (before.iter().collect(), after.iter().collect());
        let changed = before.symmetric_difference(&after).map(|permission| permission.as_str());
        // One that the contract has lost is nobody's, and may be cleared away.
        self.holds(giver, changed.filter(|permission| self.has(permission)))
    }

    fn holds<'a>(
        &self,
        giver: &RoleNames,
        needed: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), NotHeld> {
        let held = self.permissions(giver);
        match needed.into_iter().find(|permission| !held.contains(permission)) {
            None => Ok(()),
            Some(missing) => Err(NotHeld(missing.to_owned())),
        }
    }
}

impl RoleNames {
    /// All of them, the contract's first.
    pub fn all(&self) -> Vec<String> {
        self.built_in.iter().chain(&self.custom).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom(name: &str, permissions: &[&str]) -> CustomRole {
        CustomRole {
            name: name.to_owned(),
            title: name.to_owned(),
            description: String::new(),
            permissions: permissions.iter().map(ToString::to_string).collect(),
            created_at: OffsetDateTime::UNIX_EPOCH,
            updated_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    fn catalogue() -> Catalogue {
        Catalogue {
            built_in: vec![
                BuiltIn { name: "customer", permissions: &["orders:read"] },
                BuiltIn {
                    name: "admin",
                    permissions: &["orders:read", "users:write", "keys:read"],
                },
            ],
            custom: vec![
                custom("help-desk", &["orders:read", "users:write"]),
                custom("old", &["gone:write", "orders:read"]),
                custom("admin", &["orders:read"]),
            ],
        }
    }

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn roles(names: &[&str]) -> RoleNames {
        catalogue().sort_out(&strings(names)).unwrap_or_default()
    }

    #[test]
    fn roles_are_told_apart_and_the_contracts_come_first() {
        let names = roles(&["help-desk", "admin"]);
        assert_eq!((names.built_in, names.custom), (strings(&["admin"]), strings(&["help-desk"])));
        assert_eq!(catalogue().sort_out(&strings(&["customer", "emperor"])), Err(1));
    }

    #[test]
    fn a_permission_that_the_contract_lost_permits_nothing() {
        let catalogue = catalogue();
        assert_eq!(catalogue.permissions(&roles(&["old"])), BTreeSet::from(["orders:read"]));
        assert!(catalogue.permissions(&roles(&[])).is_empty());
    }

    #[test]
    fn nobody_gives_or_takes_a_role_that_permits_more_than_theirs() {
        let catalogue = catalogue();
        let may = |giver: &[&str], before: &[&str], after: &[&str]| {
            catalogue.may_exchange(&roles(giver), &roles(before), &roles(after)).is_ok()
        };
        assert!(may(&["help-desk"], &["customer"], &["customer", "help-desk"]));
        assert!(may(&["help-desk"], &["customer", "help-desk"], &["customer"]));
        // What stays need not be held.
        assert!(may(&["help-desk"], &["admin"], &["admin", "help-desk"]));
        assert!(!may(&["help-desk"], &["customer"], &["admin"]));
        assert!(!may(&["help-desk"], &["admin"], &["customer"]));
        assert!(!may(&["customer"], &["customer"], &["customer", "help-desk"]));
        assert!(may(&["admin"], &["customer"], &["admin"]));
        let refused =
            catalogue.may_exchange(&roles(&["help-desk"]), &roles(&[]), &roles(&["admin"]));
        assert_eq!(refused, Err(NotHeld("keys:read".to_owned())));
    }

    #[test]
    fn nobody_makes_a_role_permit_more_or_less_by_what_they_do_not_hold() {
        let catalogue = catalogue();
        let may = |giver: &[&str], before: &[&str], after: &[&str]| {
            catalogue.may_permit(&roles(giver), &strings(before), &strings(after)).is_ok()
        };
        assert!(may(&["help-desk"], &["orders:read"], &["orders:read", "users:write"]));
        assert!(!may(&["help-desk"], &["orders:read"], &["orders:read", "keys:read"]));
        assert!(!may(&["help-desk"], &["orders:read", "keys:read"], &["orders:read"]));
        assert!(may(&["help-desk"], &["keys:read"], &["keys:read", "orders:read"]));
        assert!(may(&["customer"], &["gone:write", "orders:read"], &["orders:read"]));
    }
}
