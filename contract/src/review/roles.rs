//! Roles and what each may do.

use super::{Change, Effect};
use crate::model::Contract;

const SECTION: &str = "Roles";

pub(super) fn compare(before: &Contract, after: &Contract) -> Vec<Change> {
    let mut changes = Vec::new();
    for old in &before.roles {
        let new = after.roles.iter().find(|r| r.name == old.name);
        if new.is_none() {
            let gone = Effect::Breaks("ROLE_REMOVED");
            changes.push(Change::new(SECTION, &old.name, "role", gone).from(&old.name));
        }
        let kept = new.map(|r| r.permissions.as_slice()).unwrap_or_default();
        for permission in old.permissions.iter().filter(|p| !kept.contains(p)) {
            let gone = Effect::Breaks("PERMISSION_LOST");
            let change = Change::new(SECTION, &old.name, "permission", gone).from(permission);
            changes.push(change.noting(guarded(before, permission)));
        }
    }
    for new in &after.roles {
        let old = before.roles.iter().find(|r| r.name == new.name);
        if old.is_none() {
            changes.push(Change::new(SECTION, &new.name, "role", Effect::Added).to(&new.name));
        }
        let had = old.map(|r| r.permissions.as_slice()).unwrap_or_default();
        for permission in new.permissions.iter().filter(|p| !had.contains(p)) {
            let change = Change::new(SECTION, &new.name, "permission", Effect::Loosened);
            changes.push(change.to(permission).noting(guarded(after, permission)));
        }
    }
    changes
}

/// The methods that a permission opens.
fn guarded(contract: &Contract, permission: &str) -> String {
    let opens = contract
        .methods()
        .filter(|(_, m)| m.policy.access.permission.as_deref() == Some(permission))
        .map(|(_, m)| m.name().to_owned())
        .collect::<Vec<_>>();
    format!("opens: {}", if opens.is_empty() { "nothing".to_owned() } else { opens.join(", ") })
}
