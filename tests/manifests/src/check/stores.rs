//! How stores are spoken to, and where else their data is.

use serde_json::{Value, json};

use super::Rule;
use super::config::is_mounted;
use super::told::{self, Url};
use crate::object::{Object, Objects, has_all, items, texts};

pub(super) const CHECKS: &[Rule] = &[
    ("no store is spoken to in plain, and each proves who it is", spoken),
    ("no store answers in plain", answered),
    ("every database of which there are several is backed up elsewhere", backed_up),
];

/// Settings that say where a store is.
pub(super) const SETTINGS: [&str; 3] = ["AMQP_URL", "DATABASE_URL", "REDIS_URL"];

fn spoken(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for workload in objects.workloads() {
        for container in workload.containers() {
            let settings = told::settings(objects, workload, container);
            let of = |wanted: &str| settings.iter().find(|(name, _)| name == wanted);
            for setting in SETTINGS {
                let Some((_, text)) = of(setting) else { continue };
                let Some(url) = Url::parse(text) else {
                    found.push(format!("{workload}: {setting} is no URL"));
                    continue;
                };
                let redis_ca = of("REDIS_CA").map(|(_, path)| path.as_str());
                let (secure, authority) = match setting {
                    "AMQP_URL" => (url.scheme == "amqps", url.asks("cacertfile")),
                    "REDIS_URL" => (url.scheme == "rediss", redis_ca),
                    _ => (url.asks("sslmode") == Some("verify-full"), url.asks("sslrootcert")),
                };
                if !secure {
                    found.push(format!("{workload}: {setting} is plain, or believes everybody"));
                }
                match authority {
                    Some(path) if !is_mounted(objects, workload, container, path) => {
                        found.push(format!(
                            "{workload}: {setting} names {path}, which is not there"
                        ));
                    }
                    // No public authority vouches for names of a cluster, nor for RDS.
                    None if url.host.ends_with(".local") || setting == "DATABASE_URL" => {
                        found.push(format!("{workload}: {setting} says of nobody who vouches"));
                    }
                    _ => {}
                }
            }
        }
    }
    // Whatever a secret says that is known to nobody here: the plain port is closed.
    for policy in objects.of("NetworkPolicy") {
        let broker = *policy.at("/metadata/labels/stoa.local~1to") == "broker";
        let rules = items(policy.at("/spec/egress"));
        let mut ports = rules.iter().flat_map(|rule| items(&rule["ports"]));
        if broker && ports.any(|port| port["port"] != 5671) {
            found.push(format!("{policy} opens another port than 5671"));
        }
    }
    found
}

fn answered(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for broker in objects.of("RabbitmqCluster") {
        let tls = broker.at("/spec/tls");
        let secret = tls["secretName"].as_str().unwrap_or_default();
        if tls["disableNonTLSListeners"] != true {
            found.push(format!("{broker} listens in plain"));
        }
        if !proves(objects, broker, secret, broker.name()) {
            found.push(format!("{broker}: no certificate for its name is in {secret:?}"));
        }
    }
    for database in objects.of("Cluster") {
        let rules = texts(database.at("/spec/postgresql/pg_hba"));
        if rules.first() != Some(&"hostnossl all all all reject") {
            found.push(format!("{database} lets plain connections in"));
        }
        let names = texts(database.at("/spec/certificates/serverAltDNSNames"));
        let host = format!("{}.{}.svc.cluster.local", database.name(), database.namespace());
        if !names.contains(&host.as_str()) {
            found.push(format!("{database} shows no certificate for {host}"));
        }
    }
    for store in objects.of("StatefulSet") {
        let label = &store.at("/spec/template/metadata/labels")["stoa.local/store"];
        let Some(name) = label.as_str() else { continue };
        for container in store.containers() {
            let args = texts(&container["args"]);
            let after = |flag| args.windows(2).find(|pair| pair[0] == flag).map(|pair| pair[1]);
            if after("--port") != Some("0") || after("--tls-port").is_none() {
                found.push(format!("{store} listens in plain"));
            }
            let file = after("--tls-cert-file").unwrap_or_default();
            let secret = super::config::secret_of(store, container, file).map_or("", |(s, _)| s);
            if !proves(objects, store, secret, name) {
                found.push(format!("{store}: no certificate for its name is in {secret:?}"));
            }
        }
    }
    found
}

/// Whether a Secret is a certificate for the name by which a store is called.
fn proves(objects: &Objects, store: &Object, secret: &str, service: &str) -> bool {
    let host = format!("{service}.{}.svc.cluster.local", store.namespace());
    objects.of("Certificate").any(|certificate| {
        certificate.namespace() == store.namespace()
            && *certificate.at("/spec/secretName") == secret
            && texts(certificate.at("/spec/dnsNames")).contains(&host.as_str())
    })
}

fn backed_up(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for database in objects.of("Cluster") {
        // One that stands alone is somebody's own, and may be lost.
        if *database.at("/spec/instances") == 1 {
            continue;
        }
        let backup = database.at("/spec/backup");
        let to = backup["barmanObjectStore"]["destinationPath"].as_str().unwrap_or_default();
        if !to.starts_with("s3://") || !backup["retentionPolicy"].is_string() {
            found.push(format!("{database} goes to no bucket, or is kept for no time"));
        }
        let cluster = json!({"name": database.name()});
        let scheduled = |s: &Object| {
            s.namespace() == database.namespace()
                && has_all(s.at("/spec/cluster"), &cluster)
                && *s.at("/spec/suspend") != Value::Bool(true)
        };
        if !objects.of("ScheduledBackup").any(scheduled) {
            found.push(format!("{database}: nothing makes whole copies of it"));
        }
    }
    for schedule in objects.of("ScheduledBackup") {
        let name = schedule.at("/spec/cluster/name").as_str().unwrap_or_default();
        if objects.find("Cluster", schedule.namespace(), name).is_none() {
            found.push(format!("{schedule}: there is no database {name}"));
        }
    }
    found
}
