//! What a contract must obey before anything is generated from it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use prost_reflect::{Kind, MessageDescriptor};

use crate::errors;
use crate::model::{Contract, ErrorCase, External, Fact, Method, is_sensitive};

/// Fails on the first broken rule, naming the element.
pub(crate) fn check(contract: &Contract) -> Result<()> {
    let permissions: BTreeSet<&str> =
        contract.roles.iter().flat_map(|r| &r.permissions).map(String::as_str).collect();
    for (_, method) in contract.methods() {
        check_method(method, &permissions)?;
        no_maps(&method.descriptor.input(), &mut BTreeSet::new())?;
        no_maps(&method.descriptor.output(), &mut BTreeSet::new())?;
    }
    check_names(contract)?;
    contract.facts.iter().try_for_each(check_fact)
}

/// Workloads and external systems become host names and names of Kubernetes objects:
/// DNS labels (RFC 1123). One external system has one port.
fn check_names(contract: &Contract) -> Result<()> {
    let mut ports = BTreeMap::new();
    for service in &contract.services {
        let full_name = &service.full_name;
        ensure!(is_dns_label(&service.workload), "{full_name}: workload {:?}", service.workload);
        for External { name, port } in &service.needs.external {
            ensure!(is_dns_label(name), "{full_name}: external system {name:?}");
            let known = *ports.entry(name).or_insert(port);
            ensure!(known == port, "{full_name}: {name} has the ports {known} and {port}");
        }
    }
    Ok(())
}

fn is_dns_label(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let edge = |c: Option<char>| c.is_some_and(|c| c != '-');
    (1..=63).contains(&name.len())
        && name.chars().all(allowed)
        && edge(name.chars().next())
        && edge(name.chars().next_back())
}

fn check_method(method: &Method, permissions: &BTreeSet<&str>) -> Result<()> {
    let path = &method.path;
    let access = &method.policy.access;
    let kinds = [
        access.public.is_some(),
        access.signed_in.is_some(),
        access.permission.is_some(),
        access.internal.is_some(),
    ];
    ensure!(kinds.iter().filter(|k| **k).count() == 1, "{path}: access says not who may call");
    if let Some(permission) = &access.permission {
        ensure!(permissions.contains(permission.as_str()), "{path}: no role holds {permission}");
    }
    if access.is_external() {
        ensure!(method.http.is_some(), "{path}: open to the edge but without google.api.http");
    } else {
        ensure!(method.http.is_none(), "{path}: internal but with google.api.http");
        ensure!(!access.callers.is_empty(), "{path}: internal but names no caller");
    }
    check_limits(method)?;
    check_errors(method)?;
    check_resources(method, permissions)?;
    check_url(method)
}

/// Numbers that can be kept.
fn check_limits(method: &Method) -> Result<()> {
    let (path, policy) = (&method.path, &method.policy);
    let deadline = policy.deadline_ms;
    ensure!(deadline > 0, "{path}: no deadline");
    if let Some(retry) = &policy.retry {
        ensure!(method.idempotent, "{path}: has a retry but no idempotency_level");
        ensure!(retry.attempts > 0, "{path}: a retry without attempts");
        let fits = (1..=deadline).contains(&retry.per_try_ms);
        ensure!(fits, "{path}: one try may not take longer than the deadline");
    }
    if let Some(rate) = &policy.rate {
        ensure!(rate.per_minute > 0 && rate.burst > 0, "{path}: a rate that lets nobody in");
    }
    if let Some(slo) = &policy.slo {
        let share = (1..10_000).contains(&slo.availability_bp);
        ensure!(share, "{path}: availability is not between 1 and 9,999 of 10,000");
        let fits = (1..=deadline).contains(&slo.latency_ms);
        ensure!(fits, "{path}: promises an answer after its deadline");
    }
    Ok(())
}

/// Reasons are stable names (AIP-193), and one reason has one code.
fn check_errors(method: &Method) -> Result<()> {
    let mut seen = BTreeSet::new();
    for error in &method.policy.errors {
        let ErrorCase { code, reason, when } = error;
        let path = &method.path;
        let is_upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        ensure!(!reason.is_empty() && reason.chars().all(is_upper), "{path}: reason {reason:?}");
        ensure!(!code.is_empty() && code != "OK", "{path}: {reason} has no code");
        ensure!(!when.is_empty(), "{path}: {reason} does not say when");
        ensure!(seen.insert(reason), "{path}: {reason} stands there twice");
        let of_all = errors::PLATFORM.iter().any(|e| e.reason == reason);
        ensure!(!of_all, "{path}: {reason} is answered by every method, so none says it");
    }
    Ok(())
}

/// What a REST path names is known, so that its ownership can be tried.
fn check_resources(method: &Method, permissions: &BTreeSet<&str>) -> Result<()> {
    let named: BTreeSet<String> =
        method.resources()?.iter().map(|(f, _)| f.full_name().to_owned()).collect();
    for field in method.path_fields()? {
        let name = field.full_name();
        ensure!(named.contains(name), "{name}: stands in a path but names no resource");
    }
    for (field, resource) in method.resources()? {
        let name = field.full_name();
        ensure!(!resource.kind.is_empty(), "{name}: a resource without a type");
        let by_user = method.policy.access.needs_user();
        ensure!(!resource.owned || by_user, "{name}: owned, but the method knows no user");
        if let Some(permission) = &resource.seen_by {
            ensure!(resource.owned, "{name}: seen by {permission}, but nobody owns it");
            let held = permissions.contains(permission.as_str());
            ensure!(held, "{name}: seen by {permission}, which no role holds");
        }
    }
    Ok(())
}

/// Paths and queries are kept in access logs, browsers and by whoever stands between.
fn check_url(method: &Method) -> Result<()> {
    let Some(http) = &method.http else { return Ok(()) };
    let mut in_url = method.path_fields()?;
    if http.body != "*" {
        let request = method.descriptor.input();
        in_url.extend(request.fields().filter(|field| field.name() != http.body));
    }
    for field in in_url {
        let name = field.full_name();
        ensure!(!is_sensitive(&field)?, "{name}: secret or personal, and stands in the URL");
    }
    Ok(())
}

/// An empty value in a map crashes Envoy's transcoder
/// (protocolbuffers/protobuf#26885): messages that cross the edge have none.
fn no_maps(message: &MessageDescriptor, seen: &mut BTreeSet<String>) -> Result<()> {
    if !seen.insert(message.full_name().to_owned()) {
        return Ok(());
    }
    ensure!(
        message.full_name() != "google.protobuf.Struct",
        "google.protobuf.Struct must not cross the edge: use a repeated message"
    );
    for field in message.fields() {
        ensure!(
            !field.is_map(),
            "{}: a map must not cross the edge: use a repeated message with name and value",
            field.full_name()
        );
        if let Kind::Message(inner) = field.kind() {
            no_maps(&inner, seen)?;
        }
    }
    Ok(())
}

fn check_fact(fact: &Fact) -> Result<()> {
    let name = fact.message.full_name();
    let domain = name.split('.').nth(1).unwrap_or_default();
    ensure!(
        fact.topic.starts_with(&format!("{domain}.v1.")),
        "{name}: topic {} is not {domain}.v1.<fact>",
        fact.topic
    );
    let key = fact.message.get_field_by_name(&fact.key);
    ensure!(
        key.is_some_and(|f| f.kind() == Kind::String && !f.is_list()),
        "{name}: key {} is not a string field",
        fact.key
    );
    Ok(())
}
