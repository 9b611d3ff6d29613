//! Services and methods, and the law of each.

use anyhow::Result;

use super::{Change, Differ, Effect};
use crate::model::{Contract, ErrorCase, HttpRule, Method, Needs, Rate, Retry, Service, Slo};

/// The edge's limit where the contract names none (policy.proto).
const DEFAULT_BODY_BYTES: u32 = 64 * 1024;

pub(super) fn compare(before: &Contract, after: &Contract) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for old in &before.services {
        if !after.services.iter().any(|s| s.full_name == old.full_name) {
            let name = &old.full_name;
            changes.push(Change::new(name, name, "service", Effect::BreaksWire).from(name));
        }
    }
    for new in &after.services {
        let old = before.services.iter().find(|s| s.full_name == new.full_name);
        let empty = Service { methods: Vec::new(), ..surroundings(new) };
        if old.is_none() {
            let name = &new.full_name;
            let served = format!("served by {}", new.workload);
            changes.push(Change::new(name, name, "service", Effect::Added).to(served));
        }
        changes.extend(service((before, old.unwrap_or(&empty)), (after, new))?);
    }
    Ok(changes)
}

fn surroundings(service: &Service) -> Service {
    Service {
        full_name: service.full_name.clone(),
        workload: service.workload.clone(),
        needs: service.needs.clone(),
        methods: Vec::new(),
    }
}

type In<'a, T> = (&'a Contract, &'a T);

fn service((before, old): In<Service>, (after, new): In<Service>) -> Result<Vec<Change>> {
    let name = &new.full_name;
    let mut diff = Differ::new(name, name);
    let moved = (old.workload.clone(), new.workload.clone());
    diff.push("workload", moved.0, moved.1, Effect::Changed);
    diff.sets("needs", &needs(&old.needs), &needs(&new.needs), Effect::Changed);
    let mut changes = diff.changes;
    for gone in old.methods.iter().filter(|m| after.method(&m.path).is_none()) {
        let change = Change::new(name, &element(gone), "method", Effect::BreaksWire);
        changes.push(change.from(summary(before, gone)));
    }
    for method in &new.methods {
        match before.method(&method.path) {
            Some(was) => changes.extend(law(name, (before, was), (after, method))?),
            None => {
                let change = Change::new(name, &element(method), "method", Effect::Added);
                changes.push(change.to(summary(after, method)));
            }
        }
    }
    Ok(changes)
}

/// For example `stoa.orders.v1.OrderService/PlaceOrder`.
fn element(method: &Method) -> String {
    method.path.trim_start_matches('/').to_owned()
}

/// Everything about a method that comes or goes, in a line.
fn summary(contract: &Contract, method: &Method) -> String {
    let policy = &method.policy;
    let mut parts = vec![rest(method), access(contract, method)];
    parts.push(format!("callers: {}", list(&policy.access.callers)));
    parts.push(format!("deadline {} ms", policy.deadline_ms));
    parts.push(format!("retry: {}", retry(&policy.retry)));
    parts.push(format!("rate: {}", rate(&policy.rate)));
    parts.push(format!("SLO: {}", slo(&policy.slo)));
    if policy.idempotency_key {
        parts.push("needs an Idempotency-Key".to_owned());
    }
    parts.join("; ")
}

fn law(section: &str, (before, old): In<Method>, (after, new): In<Method>) -> Result<Vec<Change>> {
    let element = element(new);
    let mut diff = Differ::new(section, &element);
    let (was, is) = (&old.policy, &new.policy);
    diff.push("REST", rest(old), rest(new), rest_effect(old, new));
    who(&mut diff, (before, old), (after, new));
    let gone = Effect::Breaks("CALLER_REMOVED");
    diff.sets("caller", &was.access.callers, &is.access.callers, gone);
    let ms = |ms: u32| format!("{ms} ms");
    let shorter = less(was.deadline_ms, is.deadline_ms, "DEADLINE_SHORTENED");
    diff.push("deadline", ms(was.deadline_ms), ms(is.deadline_ms), shorter);
    diff.push("retry", retry(&was.retry), retry(&is.retry), Effect::Changed);
    diff.push("rate", rate(&was.rate), rate(&is.rate), rate_effect(&was.rate, &is.rate));
    diff.push("SLO", slo(&was.slo), slo(&is.slo), slo_effect(&was.slo, &is.slo));
    let key = |needed: bool| if needed { "required" } else { "not asked for" }.to_owned();
    let newly = less(u32::from(is.idempotency_key), u32::from(was.idempotency_key), KEY);
    diff.push("Idempotency-Key", key(was.idempotency_key), key(is.idempotency_key), newly);
    let (most, now) = (body(was.max_body_bytes), body(is.max_body_bytes));
    let bytes = |n: u32| format!("{n} bytes");
    diff.push("body limit", bytes(most), bytes(now), less(most, now, "BODY_LIMIT_LOWERED"));
    let idempotent = |m: &Method| if m.idempotent { "yes" } else { "no" }.to_owned();
    diff.push("idempotent", idempotent(old), idempotent(new), Effect::BreaksWire);
    errors(&mut diff, &was.errors, &is.errors);
    resources(&mut diff, old, new)?;
    Ok(diff.changes)
}

const KEY: &str = "IDEMPOTENCY_KEY_REQUIRED";

fn less(before: u32, after: u32, rule: &'static str) -> Effect {
    if after < before { Effect::Breaks(rule) } else { Effect::Loosened }
}

fn rest(method: &Method) -> String {
    let Some(HttpRule { verb, template, body }) = &method.http else { return "none".to_owned() };
    match body.as_str() {
        "" => format!("{verb} {template}"),
        body => format!("{verb} {template} (body {body})"),
    }
}

/// A new name between braces is a new field, which buf sees; the path is the same.
fn rest_effect(old: &Method, new: &Method) -> Effect {
    let shape = |rule: &HttpRule| {
        let parts = rule.template.split('{').map(|p| p.rsplit('}').next().unwrap_or(p));
        (rule.verb, parts.map(str::to_owned).collect::<Vec<_>>(), rule.body.clone())
    };
    match (&old.http, &new.http) {
        (None, _) => Effect::Added,
        (Some(old), Some(new)) if shape(old) == shape(new) => Effect::BreaksWire,
        _ => Effect::Breaks("REST_CHANGED"),
    }
}

/// Anonymous users and the roles, with what the method's policy makes of them.
fn users(contract: &Contract, method: &Method) -> Vec<String> {
    let access = &method.policy.access;
    let signed_in = || contract.roles.iter().map(|r| r.name.clone());
    if access.public.is_some() {
        std::iter::once("anonymous".to_owned()).chain(signed_in()).collect()
    } else if access.signed_in.is_some() {
        std::iter::once("anybody signed in".to_owned()).chain(signed_in()).collect()
    } else {
        let held = access.permission.as_deref().map(|p| contract.holders(p));
        held.unwrap_or_default().into_iter().map(str::to_owned).collect()
    }
}

fn access(contract: &Contract, method: &Method) -> String {
    let access = &method.policy.access;
    match &access.permission {
        Some(permission) => {
            format!("permission {permission} ({})", contract.holders(permission).join(", "))
        }
        None if access.public.is_some() => "public".to_owned(),
        None if access.signed_in.is_some() => "signed in".to_owned(),
        None => "internal".to_owned(),
    }
}

/// A role that gains or loses a permission is told of among the roles, once.
fn who(diff: &mut Differ, (before, old): In<Method>, (after, new): In<Method>) {
    let (was, is) = (&old.policy.access, &new.policy.access);
    let kind = |a: &crate::model::Access| {
        (a.public.is_some(), a.signed_in.is_some(), a.permission.clone())
    };
    if kind(was) == kind(is) {
        return;
    }
    let (could, can) = (users(before, old), users(after, new));
    let minus = |a: &[String], b: &[String]| -> Vec<String> {
        a.iter().filter(|x| !b.contains(x)).cloned().collect()
    };
    let (lose, gain) = (minus(&could, &can), minus(&can, &could));
    let effect = match (lose.is_empty(), gain.is_empty()) {
        (false, _) => Effect::Breaks("ACCESS_TIGHTENED"),
        (true, false) => Effect::Loosened,
        (true, true) => Effect::Changed,
    };
    diff.push("access", access(before, old), access(after, new), effect);
    let note = [("may no longer call", lose), ("may call now", gain)]
        .into_iter()
        .filter(|(_, who)| !who.is_empty())
        .map(|(what, who)| format!("{what}: {}", who.join(", ")))
        .collect::<Vec<_>>();
    if let Some(change) = diff.changes.last_mut() {
        change.note = note.join("; ");
    }
}

fn errors(diff: &mut Differ, old: &[ErrorCase], new: &[ErrorCase]) {
    let reasons = |list: &[ErrorCase]| list.iter().map(|e| e.reason.clone()).collect::<Vec<_>>();
    diff.sets("reason", &reasons(old), &reasons(new), Effect::Breaks("REASON_REMOVED"));
    for was in old {
        let Some(is) = new.iter().find(|e| e.reason == was.reason) else { continue };
        let what = format!("code of {}", was.reason);
        let changed = Effect::Breaks("ERROR_CODE_CHANGED");
        diff.push(&what, was.code.clone(), is.code.clone(), changed);
        let what = format!("when {}", was.reason);
        diff.push(&what, was.when.clone(), is.when.clone(), Effect::Changed);
    }
}

fn resources(diff: &mut Differ, old: &Method, new: &Method) -> Result<()> {
    let old = old.resources()?;
    for (field, is) in new.resources()? {
        let was = old.iter().find(|(f, _)| f.name() == field.name()).map(|(_, r)| r);
        let Some(was) = was else { continue };
        let what = format!("resource of {}", field.name());
        let text = |r: &crate::model::Resource| match (r.owned, &r.seen_by) {
            (false, _) => r.kind.clone(),
            (true, None) => format!("{}, its owner's alone", r.kind),
            (true, Some(p)) => format!("{}, its owner's and seen by {p}", r.kind),
        };
        let effect = match (was.owned, is.owned) {
            (false, true) => Effect::Breaks("RESOURCE_OWNED"),
            (true, false) => Effect::Loosened,
            _ if was.seen_by.is_some() && is.seen_by.is_none() => Effect::Breaks("RESOURCE_OWNED"),
            _ if was.seen_by.is_none() && is.seen_by.is_some() => Effect::Loosened,
            _ => Effect::Changed,
        };
        diff.push(&what, text(was), text(&is), effect);
    }
    Ok(())
}

fn retry(retry: &Option<Retry>) -> String {
    match retry {
        Some(Retry { attempts, per_try_ms }) => format!("{attempts} × {per_try_ms} ms"),
        None => "never".to_owned(),
    }
}

fn rate(rate: &Option<Rate>) -> String {
    match rate {
        Some(Rate { per_minute, burst }) => format!("{per_minute}/min, {burst} at once"),
        None => "the edge's default".to_owned(),
    }
}

/// The edge's default is generous: naming a rate is taken as lowering it.
fn rate_effect(old: &Option<Rate>, new: &Option<Rate>) -> Effect {
    match (old, new) {
        (_, None) => Effect::Loosened,
        (Some(o), Some(n)) if n.per_minute >= o.per_minute && n.burst >= o.burst => {
            Effect::Loosened
        }
        _ => Effect::Breaks("RATE_LOWERED"),
    }
}

fn slo(slo: &Option<Slo>) -> String {
    let Some(Slo { availability_bp, latency_ms }) = slo else { return "no promise".to_owned() };
    let (percent, part) = (availability_bp / 100, availability_bp % 100);
    format!("{percent}.{part:02} %, 99 % within {latency_ms} ms")
}

/// A promise breaks nobody's call: it is shown and needs no approval.
fn slo_effect(old: &Option<Slo>, new: &Option<Slo>) -> Effect {
    let strength = |s: &Option<Slo>| s.as_ref().map(|s| (s.availability_bp, s.latency_ms));
    match (strength(old), strength(new)) {
        (None, Some(_)) => Effect::Tightened,
        (Some(_), None) => Effect::Loosened,
        (Some(o), Some(n)) if n.0 >= o.0 && n.1 <= o.1 => Effect::Tightened,
        (Some(o), Some(n)) if n.0 <= o.0 && n.1 >= o.1 => Effect::Loosened,
        _ => Effect::Changed,
    }
}

fn body(limit: Option<u32>) -> u32 {
    limit.unwrap_or(DEFAULT_BODY_BYTES)
}

fn needs(needs: &Needs) -> Vec<String> {
    let stores = needs.stores.iter().map(|s| format!("{s:?}"));
    stores.chain(needs.external.iter().map(|e| format!("{}:{}", e.name, e.port))).collect()
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
