//! Which workload may call which.

use std::collections::{BTreeMap, BTreeSet};

use super::markdown::{code, list, mermaid, method_link, table, users};
use crate::model::{Contract, EDGE, Store};

pub(super) fn render(contract: &Contract) -> String {
    let mut text = String::from(
        "# Call graph\n\n\
         Who may call whom. What is not drawn is refused: by the gate of the service that is \
         called, which knows the caller by its certificate.\n\n",
    );
    text.push_str(&mermaid(&drawing(contract)));
    text.push_str(
        "People come through the `edge`. `tools` are internal tools: they may call what the edge \
         may call, and are left out of the picture. Facts, which no service waits for, are among \
         the [events](events.md).\n\n## Workloads\n\n",
    );
    text.push_str(&workloads(contract));
    text.push_str("## Who may call what\n\n");
    for workload in contract.workloads() {
        text.push_str(&callers(contract, &workload));
    }
    text
}

fn drawing(contract: &Contract) -> Vec<String> {
    let mut lines =
        vec!["people([people])".to_owned(), format!("people -- \"REST, gRPC\" --> {EDGE}")];
    // Callers of the same methods share an arrow: all of them fetch identity's keys.
    let mut arrows: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for caller in contract.workloads().iter().map(String::as_str).chain([EDGE]) {
        for callee in contract.workloads() {
            let calls = contract.calls_of(caller);
            let calls = calls.iter().filter(|c| c.service.workload == callee);
            let methods = calls.flat_map(|c| &c.methods).map(|m| m.name());
            let names: Vec<&str> = methods.collect();
            let label = if caller == EDGE { String::new() } else { names.join("<br>") };
            if !names.is_empty() {
                arrows.entry((callee, label)).or_default().push(caller.to_owned());
            }
        }
    }
    let open = arrows.keys().filter(|(_, label)| label.is_empty());
    let open: Vec<&str> = open.map(|(callee, _)| callee.as_str()).collect();
    lines.push(format!("{EDGE} --> {}", open.join(" & ")));
    let labelled = arrows.iter().filter(|((_, label), _)| !label.is_empty());
    lines.extend(labelled.map(|((callee, label), callers)| {
        format!("{} -- \"{label}\" --> {callee}", callers.join(" & "))
    }));
    for service in &contract.services {
        for external in &service.needs.external {
            let line = format!("{} --> {}([{}])", service.workload, external.name, external.name);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

/// What each needs.
fn workloads(contract: &Contract) -> String {
    let rows = contract.workloads().into_iter().map(|workload| {
        let of = || contract.services.iter().filter(|s| s.workload == workload);
        let services: Vec<&str> = of().map(|s| s.full_name.as_str()).collect();
        let stores: BTreeSet<Store> = of().flat_map(|s| s.needs.stores.clone()).collect();
        let mut stores: Vec<String> = stores
            .into_iter()
            .map(|store| match store {
                Store::Postgres => "PostgreSQL".to_owned(),
                Store::Redis => "Redis".to_owned(),
            })
            .collect();
        if contract.uses_broker(&workload) {
            stores.push("the broker".to_owned());
        }
        let calls: BTreeSet<&str> =
            contract.calls_of(&workload).iter().map(|c| c.service.workload.as_str()).collect();
        let external: BTreeSet<String> = of()
            .flat_map(|s| &s.needs.external)
            .map(|e| format!("{} (port {})", e.name, e.port))
            .collect();
        let external: Vec<String> = external.into_iter().collect();
        let dash = |text: String| if text.is_empty() { "–".to_owned() } else { text };
        vec![
            code(&workload),
            list(services),
            dash(stores.join(", ")),
            list(calls),
            dash(external.join(", ")),
        ]
    });
    table(&["workload", "serves", "stores", "calls", "outside"], rows)
}

/// Rows are a workload's methods, columns its callers.
fn callers(contract: &Contract, workload: &str) -> String {
    let calls = contract.callers_of(workload);
    let callers: BTreeSet<&str> = calls.iter().map(|c| c.caller).collect();
    let mut header = vec!["method", "users"];
    header.extend(callers.iter());
    let methods = contract.methods().filter(|(s, _)| s.workload == workload);
    let rows = methods.map(|(_, method)| {
        let mut row = vec![method_link("methods.md", method), users(&method.policy)];
        row.extend(callers.iter().map(|caller| {
            let may = calls
                .iter()
                .any(|c| c.caller == *caller && c.methods.iter().any(|m| m.path == method.path));
            if may { "yes".to_owned() } else { "–".to_owned() }
        }));
        row
    });
    format!("### {workload}\n\n{}", table(&header, rows))
}
