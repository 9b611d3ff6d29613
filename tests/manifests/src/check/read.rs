//! What is read from a namespace of Secrets by name: a service's own, and no other's.

use serde_json::Value;

use super::Rule;
use super::secrets::keys;
use crate::object::{Object, Objects, items, texts};

pub(super) const CHECKS: &[Rule] =
    &[("what is read from another namespace is made there, and its reader may read it", read)];

fn read(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for external in objects.of("ExternalSecret") {
        let of_all = external.at("/spec/secretStoreRef/name").as_str().unwrap_or_default();
        if !of_all.is_empty() && store(objects, external, of_all).is_none() {
            found.push(format!("{external}: there is no SecretStore {of_all}"));
        }
        for wanted in items(external.at("/spec/data")) {
            // A field may come from elsewhere than the others.
            let own = wanted["sourceRef"]["storeRef"]["name"].as_str();
            match store(objects, external, own.unwrap_or(of_all)) {
                Some(store) => found.extend(field(objects, external, store, wanted)),
                None if own.is_some() => {
                    found.push(format!("{external}: there is no SecretStore {own:?}"));
                }
                None => {}
            }
        }
    }
    found
}

fn store<'a>(objects: &'a Objects, external: &Object, name: &str) -> Option<&'a Object> {
    objects.find("SecretStore", external.namespace(), name)
}

/// What is wrong with a field that is read from another namespace.
fn field(objects: &Objects, external: &Object, store: &Object, wanted: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let provider = store.at("/spec/provider/kubernetes");
    let Some(place) = provider["remoteNamespace"].as_str() else { return found };
    let account = provider["auth"]["serviceAccount"]["name"].as_str().unwrap_or_default();
    if objects.find("ServiceAccount", store.namespace(), account).is_none() {
        found.push(format!("{store}: there is no account {account}"));
    }
    let of = |field: &str| wanted["remoteRef"][field].as_str().unwrap_or_default();
    let (secret, key) = (of("key"), of("property"));
    if !keys(objects, place, secret).is_some_and(|keys| keys.iter().any(|k| k == key)) {
        found.push(format!("{external}: nobody makes {key} of {place}/{secret}"));
    }
    if !may(objects, place, secret, store.namespace(), account) {
        found.push(format!("{external}: {account} may not read {place}/{secret}"));
    }
    found
}

/// Whether an account is given the right to read a Secret, by its name.
fn may(objects: &Objects, place: &str, secret: &str, namespace: &str, account: &str) -> bool {
    let of = |binding: &&Object| {
        let subjects = items(binding.at("/subjects"));
        binding.namespace() == place
            && subjects.iter().any(|s| s["name"] == account && s["namespace"] == namespace)
    };
    objects.of("RoleBinding").filter(of).any(|binding| {
        let role = binding.at("/roleRef/name").as_str().unwrap_or_default();
        let role = objects.find("Role", place, role).map(|role| items(role.at("/rules")));
        let names = |rule: &&Value| texts(&rule["resourceNames"]).contains(&secret);
        role.is_some_and(|rules| rules.iter().any(names))
    })
}
