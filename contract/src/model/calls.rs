//! The call graph: who may call what, workload by workload.

use std::collections::{BTreeMap, BTreeSet};

use super::{Contract, Method, Service};

/// The workload behind the door for people.
pub const EDGE: &str = "edge";

/// The workload of internal tools; may call what the edge may call.
pub const TOOLS: &str = "tools";

/// One edge of the graph.
pub struct Call<'a> {
    pub caller: &'a str,
    pub service: &'a Service,
    /// In source order.
    pub methods: Vec<&'a Method>,
}

impl Contract {
    /// Every edge of the call graph, sorted by caller and callee; the edge and
    /// the tools included.
    pub fn calls(&self) -> Vec<Call<'_>> {
        let mut calls: BTreeMap<(&str, &str), Call<'_>> = BTreeMap::new();
        for (service, method) in self.methods() {
            let access = &method.policy.access;
            let doors = [EDGE, TOOLS].into_iter().filter(|_| access.is_external());
            for caller in access.callers.iter().map(String::as_str).chain(doors) {
                let call = calls.entry((caller, &service.workload));
                let new = || Call { caller, service, methods: Vec::new() };
                call.or_insert_with(new).methods.push(method);
            }
        }
        calls.into_values().collect()
    }

    /// Everybody in the graph: workloads that serve or call, sorted; the edge and
    /// the tools included.
    pub fn participants(&self) -> Vec<String> {
        let callers = self.calls().into_iter().map(|c| c.caller.to_owned());
        let all: BTreeSet<String> = callers.chain(self.workloads()).collect();
        all.into_iter().collect()
    }

    /// The workloads that may call one, with the methods; sorted by caller.
    pub fn callers_of(&self, workload: &str) -> Vec<Call<'_>> {
        self.calls().into_iter().filter(|c| c.service.workload == workload).collect()
    }

    /// The workloads that one calls, with the methods; sorted by callee.
    pub fn calls_of(&self, caller: &str) -> Vec<Call<'_>> {
        self.calls().into_iter().filter(|c| c.caller == caller).collect()
    }
}
