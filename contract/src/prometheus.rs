//! What is promised: recording rules for every method, alerts for every SLO.

mod alerts;
mod records;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::model::{Contract, Method, Service, Slo};
use crate::{File, yaml};

const DIR: &str = "observability/prometheus/rules";

/// How long things are looked at, as Prometheus writes it.
const WINDOWS: [&str; 7] = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];

/// Answers that are our fault.
///
/// UNKNOWN, INTERNAL and DATA_LOSS are faults that we noticed; UNAVAILABLE says that
/// something we need was missing, whoever's it is; DEADLINE_EXCEEDED that we took
/// longer than the contract allows (deadlines are ours: the edge and our own clients
/// take them from the contract); UNIMPLEMENTED that we do not serve what we publish.
/// The rest is about the request (INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION, …)
/// or about who sends too many (RESOURCE_EXHAUSTED) and would be the same however well
/// we do: such an answer is a good answer. What an overloaded service refuses is
/// RESOURCE_EXHAUSTED, too; that has an alert of its own (`alerts/calls.yaml`).
const FAULTS: &str = "UNKNOWN|DEADLINE_EXCEEDED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS";

/// Neither good nor bad: a caller whom the gate refused, or who went away. They are
/// left out of the total too, or a flood of forged tokens would hide an outage.
const NOT_OURS: &str = "UNAUTHENTICATED|PERMISSION_DENIED|CANCELLED";

/// `Slo.latency_ms` holds for 99 %: one request in a hundred may be slower.
const SLOW_BP: u32 = 100;

pub(crate) fn files(contract: &Contract) -> Result<Vec<File>> {
    let mut files = vec![file("requests", &records::of_all())?];
    for workload in contract.workloads() {
        let mut groups = Vec::new();
        for (service, method) in contract.methods().filter(|(s, _)| s.workload == workload) {
            if let Some(slo) = &method.policy.slo {
                groups.push(promises(service, method, slo)?);
            }
        }
        if !groups.is_empty() {
            files.push(file(&workload, &groups)?);
        }
    }
    Ok(files)
}

fn file(name: &str, groups: &[Value]) -> Result<File> {
    let text = yaml::documents(&[json!({"groups": groups})])?;
    Ok(File::new(format!("{DIR}/{name}.yaml"), text))
}

/// A method as the label `rpc_method` names it: OpenTelemetry's `rpc.method`.
fn label(method: &Method) -> &str {
    method.path.trim_start_matches('/')
}

/// A method's rules. A stream has no latency: it may be quiet for as long as it
/// may be open.
fn promises(service: &Service, method: &Method, slo: &Slo) -> Result<Value> {
    let path = label(method);
    ensure!(slo.availability_bp < 10_000, "{path}: nothing is available all the time");
    let budget_bp = 10_000 - slo.availability_bp;
    ensure!(
        f64::from(budget_bp) * alerts::FASTEST < 10_000.0,
        "{path}: an availability of {} basis points can never be missed fast enough to page",
        slo.availability_bp
    );
    ensure!(slo.latency_ms < method.policy.deadline_ms, "{path}: latency_ms is past the deadline");
    let mut rules = Vec::new();
    let measured = !method.descriptor.is_server_streaming();
    if measured {
        rules.extend(records::slow(method, slo));
    }
    rules.extend(alerts::availability(service, method, slo));
    if measured {
        rules.extend(alerts::latency(service, method, slo));
    }
    Ok(json!({"name": path, "interval": "1m", "rules": rules}))
}

#[cfg(test)]
mod tests;
