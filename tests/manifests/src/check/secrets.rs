//! Who makes a Secret or a ConfigMap, and what is in it.

use serde_json::Value;

use crate::object::{Object, Objects, items};

/// What people make before anything starts, for nobody else can.
pub struct ByHand {
    pub kind: &'static str,
    pub namespace: &'static str,
    pub name: &'static str,
    pub keys: &'static [&'static str],
    on: Ground,
}

/// What an installation stands on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// Stores in the cluster.
    Own,
    Google,
    /// AWS, or whoever has stores as it has.
    Managed,
}

impl Ground {
    fn of(objects: &Objects) -> Self {
        let google = |store: &Object| store.at("/spec/provider/gcpsm").is_object();
        if objects.of("Cluster").next().is_some() {
            Self::Own
        } else if objects.of("SecretStore").any(google) {
            Self::Google
        } else {
            Self::Managed
        }
    }
}

const fn secret(
    namespace: &'static str,
    name: &'static str,
    keys: &'static [&'static str],
) -> ByHand {
    ByHand { kind: "Secret", namespace, name, keys, on: Ground::Own }
}

const fn authorities(keys: &'static [&'static str], on: Ground) -> ByHand {
    ByHand { kind: "ConfigMap", namespace: "stoa", name: "store-authorities", keys, on }
}

/// All of them; `docs/operations/install.md` tells people, and a test holds it to that.
pub const BY_HAND: [ByHand; 6] = [
    authorities(&["rds.pem"], Ground::Managed),
    authorities(&["cloud-sql.pem", "memorystore.pem"], Ground::Google),
    secret("stoa-data", "payment-provider", &["key", "webhook"]),
    secret("stoa-data", "smtp", &["url"]),
    secret("stoa-data", "backups", &["ACCESS_KEY_ID", "SECRET_ACCESS_KEY"]),
    secret("observability", "alert-receivers", &["page", "ticket"]),
];

/// A Secret's keys; nothing if nobody makes it.
pub(super) fn keys(objects: &Objects, namespace: &str, name: &str) -> Option<Vec<String>> {
    let fields = |value: &Value| -> Vec<String> {
        value.as_object().into_iter().flat_map(|fields| fields.keys().cloned()).collect()
    };
    if let Some(external) = external(objects, namespace, name) {
        return Some(of_external(external));
    }
    if let Some(sealed) = objects.find("SealedSecret", namespace, name) {
        return Some(fields(sealed.at("/spec/encryptedData")));
    }
    if let Some(plain) = objects.find("Secret", namespace, name) {
        return Some(fields(plain.at("/stringData")));
    }
    let certificate = |c: &Object| c.namespace() == namespace && *c.at("/spec/secretName") == name;
    if objects.of("Certificate").any(certificate) {
        return Some(["tls.crt", "tls.key", "ca.crt"].map(str::to_owned).into());
    }
    operated(objects, namespace, name).or_else(|| by_hand(objects, "Secret", namespace, name))
}

/// What the operators of stores make.
fn operated(objects: &Objects, namespace: &str, name: &str) -> Option<Vec<String>> {
    let made: [(&str, &str, &[&str]); 3] = [
        ("Cluster", "-app", &["username", "password"]),
        ("Cluster", "-ca", &["ca.crt", "ca.key"]),
        ("RabbitmqCluster", "-default-user", &["username", "password"]),
    ];
    let (_, _, keys) = made.into_iter().find(|(kind, end, _)| {
        name.strip_suffix(end).is_some_and(|owner| objects.find(kind, namespace, owner).is_some())
    })?;
    Some(keys.iter().map(ToString::to_string).collect())
}

/// Of what people make, where it is for this kind of installation.
pub(super) fn by_hand(
    objects: &Objects,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Option<Vec<String>> {
    let on = Ground::of(objects);
    let made = BY_HAND.iter().find(|made| {
        made.kind == kind && made.namespace == namespace && made.name == name && made.on == on
    })?;
    Some(made.keys.iter().map(ToString::to_string).collect())
}

/// The ExternalSecret that makes a Secret.
pub(super) fn external<'a>(
    objects: &'a Objects,
    namespace: &str,
    name: &str,
) -> Option<&'a Object> {
    let mut all = objects.of("ExternalSecret").filter(|e| e.namespace() == namespace);
    all.find(|external| *external.at("/spec/target/name") == name)
}

fn of_external(external: &Object) -> Vec<String> {
    let template = external.at("/spec/target/template");
    let made = template["data"].as_object().into_iter().flatten().map(|(key, _)| key.clone());
    // A template replaces what was fetched, unless it says otherwise.
    if template["data"].is_object() && template["mergePolicy"] != "Merge" {
        return made.collect();
    }
    let data = items(external.at("/spec/data"));
    let fetched = data.iter().filter_map(|entry| entry["secretKey"].as_str());
    let sources = items(external.at("/spec/dataFrom"));
    let generated = sources.iter().flat_map(|source| items(&source["rewrite"]));
    let generated = generated.filter_map(|rewrite| rewrite["regexp"]["target"].as_str());
    fetched.chain(generated).map(str::to_owned).chain(made).collect()
}
