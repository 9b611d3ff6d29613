//! What must hold among the objects of an installation. Schemas say nothing of it.

mod config;
mod hosts;
mod links;
mod mesh;
mod pods;
mod read;
mod release;
mod restricted;
mod secrets;
mod stores;
mod told;
mod watch;
mod ways;

pub use secrets::{BY_HAND, ByHand};

use crate::object::Objects;

/// A rule; it answers what breaks it.
pub struct Check {
    /// The rule, as a sentence.
    pub rule: &'static str,
    pub run: fn(&Objects) -> Vec<String>,
}

/// All rules.
pub fn all() -> Vec<Check> {
    let all = [
        links::CHECKS,
        hosts::CHECKS,
        ways::CHECKS,
        mesh::CHECKS,
        pods::CHECKS,
        restricted::CHECKS,
        config::CHECKS,
        read::CHECKS,
        stores::CHECKS,
        watch::CHECKS,
        release::CHECKS,
    ];
    all.into_iter().flatten().map(|(rule, run)| Check { rule, run: *run }).collect()
}

type Rule = (&'static str, fn(&Objects) -> Vec<String>);

/// Where others install what is not ours: an object in these need not be made by us.
const FOREIGN: [&str; 5] =
    ["cnpg-system", "istio-system", "kube-system", "rabbitmq-system", "vault"];

/// Where those are who watch: an installation has them, or leaves them to others.
const WATCHERS: &str = "observability";

/// Whether what is in a namespace is others' to make.
fn foreign(objects: &Objects, namespace: &str) -> bool {
    let ours = || objects.of("Namespace").any(|made| made.name() == namespace);
    FOREIGN.contains(&namespace) || (namespace == WATCHERS && !ours())
}
