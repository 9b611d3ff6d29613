//! The policy table: one entry per method, sorted by path; and how finely the
//! durations of requests are measured.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::Result;
use heck::ToUpperCamelCase;

use crate::errors;
use crate::model::{Contract, Method, Service};

pub(crate) fn render(contract: &Contract) -> Result<String> {
    let mut methods: Vec<_> = contract.methods().collect();
    methods.sort_by(|(_, a), (_, b)| a.path.cmp(&b.path));
    let mut code = durations(contract);
    code.push_str(
        "/// Every method, sorted by path.\n\
         pub static METHODS: &[MethodPolicy] = &[",
    );
    for (service, method) in methods {
        code.push_str(&entry(service, method)?);
    }
    code.push_str(
        "];\n/// What every method may answer, whatever its own errors.\n\
         pub static PLATFORM_ERRORS: &[ErrorCase] = &[",
    );
    for error in errors::PLATFORM {
        code.push_str(&case(error.code, error.reason));
    }
    code.push_str(
        "];\n/// Every role, from least to most powerful.\npub static ROLES: &[Role] = &[",
    );
    for role in &contract.roles {
        let _ =
            write!(code, "Role {{ name: {:?}, permissions: &{:?} }},", role.name, role.permissions);
    }
    code.push_str("];\n");
    Ok(code)
}

/// Upper bounds where no method has a budget, in milliseconds.
const LADDER_MS: [u32; 12] = [1, 5, 10, 25, 50, 100, 200, 400, 1_000, 2_500, 5_000, 10_000];

/// An alert on latency counts what was answered within a method's budget: each
/// budget must be the bound of a bucket.
fn durations(contract: &Contract) -> String {
    let budgets = contract.methods().filter_map(|(_, m)| m.policy.slo.as_ref());
    let bounds: BTreeSet<u32> =
        LADDER_MS.into_iter().chain(budgets.map(|s| s.latency_ms)).collect();
    let seconds: Vec<f64> = bounds.iter().map(|ms| f64::from(*ms) / 1000.0).collect();
    format!(
        "/// Upper bounds of the buckets that durations are counted in, in seconds: every\n\
         /// method's latency budget is among them.\n\
         pub static DURATION_BUCKETS: &[f64] = &{seconds:?};\n"
    )
}

fn entry(service: &Service, method: &Method) -> Result<String> {
    let policy = &method.policy;
    let seen_by = method.resources()?.into_iter().find_map(|(_, resource)| resource.seen_by);
    let access = match &policy.access {
        a if a.public.is_some() => "Access::Public".to_owned(),
        a if a.signed_in.is_some() => "Access::SignedIn".to_owned(),
        a if a.internal.is_some() => "Access::Internal".to_owned(),
        a => format!("Access::Permission({:?})", a.permission.as_deref().unwrap_or_default()),
    };
    let retry = policy.retry.as_ref().map(|r| {
        format!("Retry {{ attempts: {}, per_try: {} }}", r.attempts, millis(r.per_try_ms))
    });
    let rate = policy
        .rate
        .as_ref()
        .map(|r| format!("Rate {{ per_minute: {}, burst: {} }}", r.per_minute, r.burst));
    let slo = policy.slo.as_ref().map(|s| {
        format!(
            "Slo {{ availability_bp: {}, latency: {} }}",
            s.availability_bp,
            millis(s.latency_ms)
        )
    });
    Ok(format!(
        "MethodPolicy {{ path: {:?}, workload: {:?}, access: {access}, callers: &{:?}, \
         deadline: {}, retry: {}, rate: {}, slo: {}, idempotency_key: {}, idempotent: {}, \
         server_streaming: {}, seen_by: {seen_by:?}, errors: &[{}] }},",
        method.path,
        service.workload,
        policy.access.callers,
        millis(policy.deadline_ms),
        optional(retry),
        optional(rate),
        optional(slo),
        policy.idempotency_key,
        method.idempotent,
        method.descriptor.is_server_streaming(),
        policy.errors.iter().map(|e| case(&e.code, &e.reason)).collect::<String>(),
    ))
}

fn case(code: &str, reason: &str) -> String {
    format!("ErrorCase {{ code: Code::{}, reason: {reason:?} }},", code.to_upper_camel_case())
}

fn millis(value: u32) -> String {
    format!("Duration::from_millis({value})")
}

fn optional(code: Option<String>) -> String {
    code.map_or_else(|| "None".to_owned(), |c| format!("Some({c})"))
}
