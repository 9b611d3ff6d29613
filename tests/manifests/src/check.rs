//! What must hold among the objects of an installation. Schemas say nothing of it.

mod config;
mod hosts;
mod links;
mod mesh;
mod pods;
mod release;

use crate::object::Objects;

/// A rule; it answers what breaks it.
pub struct Check {
    /// The rule, as a sentence.
    pub rule: &'static str,
    pub run: fn(&Objects) -> Vec<String>,
}

/// All rules.
pub fn all() -> Vec<Check> {
    [links::CHECKS, hosts::CHECKS, mesh::CHECKS, pods::CHECKS, config::CHECKS, release::CHECKS]
        .into_iter()
        .flatten()
        .map(|(rule, run)| Check { rule, run: *run })
        .collect()
}

type Rule = (&'static str, fn(&Objects) -> Vec<String>);

/// Where others install what is not ours: an object in these need not be made by us.
const FOREIGN: [&str; 6] =
    ["cnpg-system", "istio-system", "kube-system", "observability", "rabbitmq-system", "vault"];
