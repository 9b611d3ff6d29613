//! What a pod is told of others: by settings, arguments, configuration and secrets.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::config::secret_of;
use super::secrets::external;
use crate::object::{Object, Objects, items, texts};

/// A name in the cluster, with its port where one follows.
#[allow(clippy::unwrap_used)]
static HOST: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b((?:[a-z0-9-]+\.)+svc\.cluster\.local)(?::(\d+))?").unwrap());

/// What the External Secrets Operator fills in: a text in quotes, or a secret.
#[allow(clippy::unwrap_used)]
static FILLED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\{\{ (?:"([^"]*)"|[^}]*) \}\}"#).unwrap());

/// The parts of a URL that matter here.
pub(super) struct Url {
    pub scheme: String,
    pub host: String,
    pub port: Option<u64>,
    query: String,
}

impl Url {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = rest.split('/').next()?.rsplit('@').next()?;
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        let [scheme, host, query] = [scheme, host, query].map(str::to_owned);
        Some(Self { scheme, host, port: port.parse().ok(), query })
    }

    /// A parameter after the question mark.
    pub(super) fn asks(&self, name: &str) -> Option<&str> {
        let parameters = self.query.split('&').filter_map(|pair| pair.split_once('='));
        parameters.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// A container's settings whose text can be known: those in the open, and of secrets those
/// that are made after a template, with something in the place of every password.
pub(super) fn settings(
    objects: &Objects,
    workload: &Object,
    container: &Value,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for setting in items(&container["env"]) {
        let (Some(name), Some(value)) = (setting["name"].as_str(), setting["value"].as_str())
        else {
            continue;
        };
        let Some(meant) = name.strip_suffix("_FILE") else {
            found.push((name.to_owned(), value.to_owned()));
            continue;
        };
        let Some((secret, key)) = secret_of(workload, container, value) else { continue };
        let made = external(objects, workload.namespace(), secret);
        let text = made.and_then(|made| made.at("/spec/target/template/data")[key].as_str());
        // What is a secret as a whole can be known by nobody.
        if let Some(text) =
            text.filter(|text| !FILLED.replace(text, "").is_empty() || text.contains('"'))
        {
            let filled = FILLED.replace_all(text, |found: &regex::Captures<'_>| {
                found.get(1).map_or("secret", |text| text.as_str()).to_owned()
            });
            found.push((meant.to_owned(), filled.into_owned()));
        }
    }
    found
}

/// Every host that a workload is told of: those of the cluster, and stores.
pub(super) fn hosts(objects: &Objects, workload: &Object) -> Vec<(String, Option<u64>)> {
    let mut found = Vec::new();
    let mut read = |text: &str| {
        found.extend(
            HOST.captures_iter(text)
                .map(|c| (c[1].to_owned(), c.get(2).and_then(|port| port.as_str().parse().ok()))),
        );
    };
    let mut stores = Vec::new();
    for container in workload.containers() {
        texts(&container["args"]).into_iter().for_each(&mut read);
        for (name, value) in settings(objects, workload, container) {
            match Url::parse(&value).filter(|_| super::stores::SETTINGS.contains(&name.as_str())) {
                Some(url) => stores.push((url.host, url.port)),
                None => read(&value),
            }
        }
    }
    let volumes = workload.template().map_or(&Value::Null, |t| &t["spec"]["volumes"]);
    for volume in items(volumes) {
        let Some(name) = volume["configMap"]["name"].as_str() else { continue };
        let Some(map) = objects.find("ConfigMap", workload.namespace(), name) else { continue };
        map.at("/data")
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(_, text)| text.as_str())
            .for_each(&mut read);
    }
    found.extend(stores);
    found
}
