//! Recording rules.

use serde_json::{Value, json};

use super::{FAULTS, NOT_OURS, WINDOWS, label};
use crate::model::{Method, Slo};

/// What services measure (`shared/grpc`).
const DURATION: &str = "rpc_server_call_duration_seconds";

/// The windows in which alerts want a number of bad requests, not only a share.
const COUNTED: [&str; 4] = ["1h", "6h", "1d", "3d"];

/// One series per RPC in each: one look at the measurements serves all methods.
pub(super) fn of_all() -> Vec<Value> {
    let mut rules = vec![
        record(
            "rpc_method:rpc_server_requests:rate5m",
            &format!("sum by (rpc_method) (rate({DURATION}_count[5m]))"),
        ),
        record(
            "rpc_method:rpc_server_call_duration_seconds:p99_rate5m",
            &format!(
                "histogram_quantile(0.99, sum by (rpc_method, le) \
                 (rate({DURATION}_bucket{{rpc_response_status_code!~\"{NOT_OURS}\"}}[5m])))"
            ),
        ),
    ];
    rules.extend(WINDOWS.map(error_ratio));
    rules.extend(COUNTED.map(|window| {
        let failed =
            format!("{DURATION}_count{{rpc_response_status_code=~\"{FAULTS}\"}}[{window}]");
        record(&errors_name(window), &format!("sum by (rpc_method) (increase({failed}))"))
    }));
    vec![json!({"name": "requests", "interval": "1m", "rules": rules})]
}

/// The share of a window's requests that failed by our fault. Where nothing failed
/// yet there is no series of failures: then it is 0, not absent.
fn error_ratio(window: &str) -> Value {
    let valid = format!(
        "sum by (rpc_method) (rate({DURATION}_count{{rpc_response_status_code!~\"{NOT_OURS}\"}}[{window}]))"
    );
    let failed = format!(
        "sum by (rpc_method) (rate({DURATION}_count{{rpc_response_status_code=~\"{FAULTS}\"}}[{window}]))"
    );
    record(&error_ratio_name(window), &format!("({failed} or 0 * {valid}) / {valid}"))
}

pub(super) fn error_ratio_name(window: &str) -> String {
    format!("rpc_method:rpc_server_errors:ratio_rate{window}")
}

pub(super) fn errors_name(window: &str) -> String {
    format!("rpc_method:rpc_server_errors:increase{window}")
}

pub(super) fn slow_ratio_name(window: &str) -> String {
    format!("rpc_method:rpc_server_slow:ratio_rate{window}")
}

pub(super) fn slow_name(window: &str) -> String {
    format!("rpc_method:rpc_server_slow:increase{window}")
}

/// The share and the number of a window's requests that took longer than the method
/// may.
///
/// Failures are left out, availability has them; who went away is left in: waiting
/// too long is a reason to leave.
pub(super) fn slow(method: &Method, slo: &Slo) -> Vec<Value> {
    let path = label(method);
    let le = le(slo.latency_ms);
    let answered = format!(
        "rpc_method=\"{path}\",rpc_response_status_code!~\"{FAULTS}|UNAUTHENTICATED|PERMISSION_DENIED\""
    );
    let count = |function: &str, window: &str| {
        let all = format!("{function}({DURATION}_count{{{answered}}}[{window}])");
        let within = format!("{function}({DURATION}_bucket{{{answered},{le}}}[{window}])");
        (format!("sum({all})"), format!("sum({within})"))
    };
    let shares = WINDOWS.map(|window| {
        let (all, within) = count("rate", window);
        named(method, &slow_ratio_name(window), &format!("1 - {within} / {all}"))
    });
    let counts = COUNTED.map(|window| {
        let (all, within) = count("increase", window);
        named(method, &slow_name(window), &format!("{all} - {within}"))
    });
    shares.into_iter().chain(counts).collect()
}

/// The bucket that ends at a budget. Prometheus 3 writes whole seconds as `1.0`.
fn le(budget_ms: u32) -> String {
    let seconds = f64::from(budget_ms) / 1000.0;
    match budget_ms % 1000 {
        0 => format!("le=~\"{seconds}(\\\\.0)?\""),
        _ => format!("le=\"{seconds}\""),
    }
}

/// Series of one name that come from several rules.
fn named(method: &Method, name: &str, expr: &str) -> Value {
    json!({"record": name, "expr": expr, "labels": {"rpc_method": label(method)}})
}

fn record(name: &str, expr: &str) -> Value {
    json!({"record": name, "expr": expr})
}
