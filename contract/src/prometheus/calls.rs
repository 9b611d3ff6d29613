//! Alerts on what protects services from each other (`shared/grpc`): it does its work,
//! and somebody should know why it has to.

use serde_json::{Value, json};

const RUNBOOK: &str = "docs/operations/runbooks/calls.md";

pub(super) fn of_all() -> Vec<Value> {
    let rules = vec![
        alert(
            "RpcLoadShed",
            "page",
            "sum by (rpc_method) (rate(rpc_server_shed_total[5m]))\n\
             / sum by (rpc_method) (rate(rpc_server_duration_seconds_count[5m])) > 0.01\n",
            "{{ $labels.rpc_method }} is refused because its service is overloaded",
            "{{ $value | humanizePercentage }} of the requests of the last 5 minutes were \
             answered with OVERLOADED.",
        ),
        alert(
            "RpcBreakerOpen",
            "page",
            "max by (callee) (rpc_client_breaker_state) > 0\n",
            "{{ $labels.callee }} does not answer its callers",
            "The circuit breaker of at least one caller has not been closed for 5 minutes: most \
             of its calls are refused before they are made.",
        ),
        alert(
            "RpcRetryBudgetSpent",
            "ticket",
            "sum by (callee) (rate(rpc_client_retries_total{outcome=\"budget_exhausted\"}[5m])) > 0\n",
            "Calls of {{ $labels.callee }} fail too often to be made again",
            "For 5 minutes more than a fifth of the calls would have had to be made again.",
        ),
    ];
    vec![json!({"name": "calls", "interval": "1m", "rules": rules})]
}

fn alert(name: &str, severity: &str, expr: &str, summary: &str, description: &str) -> Value {
    json!({
        "alert": name,
        "expr": expr,
        "for": "5m",
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "description": description, "runbook": RUNBOOK},
    })
}
