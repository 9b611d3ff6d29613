//! Every method and its law.

use super::markdown::{anchor, code, list, table, users};
use crate::comments;
use crate::model::{Contract, Method, Service};

pub(super) fn render(contract: &Contract) -> String {
    let mut text = String::from(INTRODUCTION);
    for service in &contract.services {
        text.push_str(&overview(service));
    }
    text.push_str("# One by one\n\n");
    for (service, method) in contract.methods() {
        text.push_str(&section(contract, service, method));
    }
    text
}

const INTRODUCTION: &str = "# Methods

How to read the tables:

- **users**: who must be signed in, or the [permission](permissions.md) that is needed; **also** are workloads that call
  without a door for people. Everything that is open to users is reached through the edge, by REST or gRPC.
- **deadline**: the longest it may take; for a stream, the longest it may stay open. **retries**: how often it is tried
  again and how long one try may take. Only methods that may be repeated are.
- **rate**: requests per minute at the edge and how many may come at once; without one, the edge's default.
- **promise**: the share of requests that do not fail by our fault, and the time within which 99 % are answered. Alerts are
  made from it.
- **repeat**: *safe* changes nothing; *idempotent* has its effect once, however often it is called; *by key* needs an
  `Idempotency-Key` header, and the same key means the same request; *no* may have its effect again.

Besides its own, every method may answer these errors: INVALID_ARGUMENT when the request breaks a rule of its fields,
UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED when calls come too fast or too many at once, DEADLINE_EXCEEDED, UNAVAILABLE, INTERNAL.

";

fn overview(service: &Service) -> String {
    let header =
        ["method", "REST", "users", "also", "deadline", "retries", "rate", "promise", "repeat"];
    let rows = service.methods.iter().map(|method| {
        let policy = &method.policy;
        vec![
            format!("[`{}`](#{})", method.name(), anchor(&method.path)),
            rest(method),
            users(policy),
            list(&policy.access.callers),
            duration(policy.deadline_ms),
            retries(method),
            rate(method),
            promise(method),
            repeat(method).to_owned(),
        ]
    });
    format!(
        "## {}\n\n{} Served by `{}`.\n\n{}",
        service.full_name,
        service_comment(service),
        service.workload,
        table(&header, rows)
    )
}

fn service_comment(service: &Service) -> String {
    let descriptor = service.methods.first().map(|m| m.descriptor.parent_service().clone());
    descriptor.map(|d| comments::of_service(&d)).unwrap_or_default()
}

/// One method, under its full path.
fn section(contract: &Contract, service: &Service, method: &Method) -> String {
    let (input, output) = (method.descriptor.input(), method.descriptor.output());
    let stream = if method.descriptor.is_server_streaming() { "a stream of " } else { "" };
    let policy = &method.policy;
    let mut rows = vec![
        row("request, answer", format!("`{}` → {stream}`{}`", input.name(), output.name())),
        row("REST", rest(method)),
        row("users", who(contract, method)),
        row("workloads", workloads(method)),
        row("deadline", duration(policy.deadline_ms)),
        row("retries", retries(method)),
        row("rate", rate(method)),
        row("promise", promise(method)),
        row("repeat", repeat(method).to_owned()),
    ];
    if let Some(bytes) = policy.max_body_bytes {
        rows.push(row("largest body", format!("{bytes} bytes")));
    }
    let errors = policy
        .errors
        .iter()
        .map(|error| vec![error.code.clone(), code(&error.reason), error.when.clone()]);
    format!(
        "## {}\n\n{}\n\nIn [`{file}`](../../proto/{file}), served by `{}`.\n\n{}{}",
        method.path,
        comments::of_method(&method.descriptor),
        service.workload,
        table(&["", ""], rows),
        table(&["error", "reason", "when"], errors),
        file = method.descriptor.parent_service().parent_file().name(),
    )
}

fn row(name: &str, value: String) -> Vec<String> {
    vec![name.to_owned(), value]
}

fn who(contract: &Contract, method: &Method) -> String {
    let users = users(&method.policy);
    match &method.policy.access.permission {
        Some(permission) => format!("{users}, which {} hold", list(contract.holders(permission))),
        None => users,
    }
}

fn workloads(method: &Method) -> String {
    let access = &method.policy.access;
    let doors = ["edge", "tools"].into_iter().filter(|_| access.is_external());
    list(doors.chain(access.callers.iter().map(String::as_str)))
}

fn rest(method: &Method) -> String {
    method.http.as_ref().map_or("–".to_owned(), |h| format!("`{} {}`", h.verb, h.template))
}

fn retries(method: &Method) -> String {
    let retry = method.policy.retry.as_ref();
    retry.map_or("–".to_owned(), |r| format!("{} × {}", r.attempts, duration(r.per_try_ms)))
}

fn rate(method: &Method) -> String {
    let rate = method.policy.rate.as_ref();
    rate.map_or("–".to_owned(), |r| format!("{}, {} at once", r.per_minute, r.burst))
}

fn promise(method: &Method) -> String {
    let Some(slo) = &method.policy.slo else { return "–".to_owned() };
    let share = f64::from(slo.availability_bp) / 100.0;
    if method.descriptor.is_server_streaming() {
        return format!("{share} %");
    }
    format!("{share} %, {}", duration(slo.latency_ms))
}

fn repeat(method: &Method) -> &'static str {
    const NO_SIDE_EFFECTS: i32 = 1;
    let options = method.descriptor.options();
    let level = options.get_field_by_name("idempotency_level");
    let level = level.and_then(|l| l.as_enum_number());
    let safe = level == Some(NO_SIDE_EFFECTS);
    match method.idempotent {
        _ if method.policy.idempotency_key => "by key",
        true if safe => "safe",
        true => "idempotent",
        false => "no",
    }
}

fn duration(ms: u32) -> String {
    match ms {
        ms if ms >= 60_000 && ms % 60_000 == 0 => format!("{} min", ms / 60_000),
        ms if ms >= 1_000 && ms % 100 == 0 => format!("{} s", f64::from(ms) / 1000.0),
        ms => format!("{ms} ms"),
    }
}
