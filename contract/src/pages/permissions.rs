//! Which role may do what.

use std::collections::BTreeSet;

use super::markdown::{code, method_link, table};
use crate::model::Contract;

pub(super) fn render(contract: &Contract) -> String {
    let permissions: BTreeSet<&String> =
        contract.roles.iter().flat_map(|r| &r.permissions).collect();
    let mut header = vec!["permission"];
    header.extend(contract.roles.iter().map(|r| r.name.as_str()));
    header.push("lets call");
    let rows = permissions.into_iter().map(|permission| {
        let mut row = vec![code(permission)];
        row.extend(contract.roles.iter().map(|role| {
            if role.permissions.contains(permission) { "yes".to_owned() } else { "–".to_owned() }
        }));
        row.push(methods(contract, |a| a.permission.as_ref() == Some(permission)));
        row
    });
    let mut text = String::from(
        "# Permissions\n\n\
         A user's roles are in the access token (`roles`); a role is a set of permissions. \
         Administrators make further roles of the same permissions (`RoleService`): what these \
         give stands in the token by itself (`entitlements`, RFC 9068, section 2.2.3.1). Both the \
         edge and the service check.\n\n",
    );
    text.push_str(&table(&header, rows));
    text.push_str("Without a permission:\n\n");
    let others = [
        ("anybody", methods(contract, |a| a.public.is_some())),
        ("signed-in users", methods(contract, |a| a.signed_in.is_some())),
        ("no user, only workloads", methods(contract, |a| a.internal.is_some())),
    ];
    let rows = others.into_iter().map(|(who, methods)| vec![who.to_owned(), methods]);
    text.push_str(&table(&["who", "may call"], rows));
    text
}

fn methods(contract: &Contract, wanted: impl Fn(&crate::model::Access) -> bool) -> String {
    let methods = contract.methods().filter(|(_, m)| wanted(&m.policy.access));
    let links: Vec<String> = methods.map(|(_, m)| method_link("methods.md", m)).collect();
    if links.is_empty() { "nothing".to_owned() } else { links.join(", ") }
}
