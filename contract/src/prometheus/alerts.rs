//! Alerts on how fast a promise is used up: multi-window, multi-burn-rate (The Site
//! Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts").

use serde_json::{Value, json};

use super::{SLOW_BP, records};
use crate::model::{Method, Service, Slo};

/// How fast a budget of 30 days may burn, over how long.
struct Burn {
    /// 1 uses up the budget in exactly 30 days.
    factor: f64,
    /// Says that it matters.
    long: &'static str,
    /// Says that it still goes on.
    short: &'static str,
    severity: &'static str,
    /// Of a budget of 30 days, when the long window is over.
    spent: &'static str,
}

const BURNS: [Burn; 4] = [
    Burn { factor: 14.4, long: "1h", short: "5m", severity: "page", spent: "2 %" },
    Burn { factor: 6.0, long: "6h", short: "30m", severity: "page", spent: "5 %" },
    Burn { factor: 3.0, long: "1d", short: "2h", severity: "ticket", spent: "10 %" },
    Burn { factor: 1.0, long: "3d", short: "6h", severity: "ticket", spent: "10 %" },
];

/// The highest factor.
pub(super) const FASTEST: f64 = 14.4;

/// Below that many bad requests in the long window nobody is told: one failure among
/// ten requests burns 100 times too fast and means nothing. It counts the bad ones,
/// not all: a method that is rarely called and always fails still alerts.
const LEAST_BAD: u32 = 5;

const RUNBOOK: &str = "docs/operations/runbooks/slo-burn.md";

/// Alerts on answers that are our fault.
pub(super) fn availability(service: &Service, method: &Method, slo: &Slo) -> Vec<Value> {
    let promise = Promise {
        alert: "RpcErrorBudgetBurn",
        budget_bp: 10_000 - slo.availability_bp,
        ratio: records::error_ratio_name,
        count: records::errors_name,
        broken: "fails",
        what: format!("{} of all requests are answered", percent(slo.availability_bp)),
        bad: "failed by our fault",
    };
    BURNS.iter().map(|burn| promise.alert(service, method, burn)).collect()
}

/// Alerts on answers that take too long.
pub(super) fn latency(service: &Service, method: &Method, slo: &Slo) -> Vec<Value> {
    let promise = Promise {
        alert: "RpcLatencyBudgetBurn",
        budget_bp: SLOW_BP,
        ratio: records::slow_ratio_name,
        count: records::slow_name,
        broken: "is slow",
        what: format!("{} are answered within {} ms", percent(10_000 - SLOW_BP), slo.latency_ms),
        bad: "took longer",
    };
    BURNS.iter().map(|burn| promise.alert(service, method, burn)).collect()
}

struct Promise {
    alert: &'static str,
    budget_bp: u32,
    /// Name of the recorded share of bad requests in a window.
    ratio: fn(&str) -> String,
    /// And of their number.
    count: fn(&str) -> String,
    broken: &'static str,
    what: String,
    bad: &'static str,
}

impl Promise {
    fn alert(&self, service: &Service, method: &Method, burn: &Burn) -> Value {
        let path = super::label(method);
        let Burn { factor, long, short, severity, spent } = burn;
        let budget = f64::from(self.budget_bp) / 10_000.0;
        let over = |window: &str| {
            format!("{}{{rpc_method=\"{path}\"}} > {factor} * {budget}", (self.ratio)(window))
        };
        let bad = format!("{}{{rpc_method=\"{path}\"}} >= {LEAST_BAD}", (self.count)(long));
        let expr = format!("{}\nand {}\nand {bad}\n", over(long), over(short));
        let name = method.name();
        json!({
            "alert": self.alert,
            "expr": expr,
            "labels": {
                "severity": severity,
                "workload": service.workload,
                "rpc_method": path,
                "window": long,
            },
            "annotations": {
                "summary": format!("{name} of {} {}", service.workload, self.broken),
                "description": format!(
                    "{path}: {{{{ $value | humanizePercentage }}}} of the requests of the last \
                     {long} {}. The promise is that {}. At this rate {spent} of what a month \
                     allows are gone after {long}.",
                    self.bad, self.what
                ),
                "runbook": RUNBOOK,
            },
        })
    }
}

/// Basis points for people: `99.9 %`.
fn percent(bp: u32) -> String {
    format!("{} %", f64::from(bp) / 100.0)
}
