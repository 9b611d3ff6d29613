//! The contract, as it was compiled in.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use prost_reflect::{DescriptorPool, ReflectMessage as _, ServiceDescriptor, Value};
use proto::policy::{Access, METHODS, MethodPolicy};

use crate::domain::house::{Call, EDGE, Flow, House, Method, Promise, Workload};

/// Internal tools may call what the edge may call; they are no part of the platform, and
/// left out of the picture as in the contract's own pages.
const TOOLS: &str = "tools";

/// Who is who, who may call whom, and what is promised.
pub fn house() -> Result<House> {
    let mut calls: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    for method in METHODS {
        let door = (method.access != Access::Internal).then_some(EDGE);
        for caller in method.callers.iter().copied().filter(|c| *c != TOOLS).chain(door) {
            calls.entry((caller, method.workload)).or_default().insert(name(method));
        }
    }
    let calls = calls.into_iter().map(|((from, to), methods)| Call {
        from: from.to_owned(),
        to: to.to_owned(),
        methods,
    });
    Ok(House {
        workloads: workloads()?,
        calls: calls.collect(),
        facts: facts(),
        methods: METHODS.iter().map(method).collect(),
    })
}

fn name(method: &MethodPolicy) -> String {
    method.path.trim_start_matches('/').to_owned()
}

fn method(method: &MethodPolicy) -> Method {
    let promise = method.slo.map(|slo| Promise {
        availability: f64::from(slo.availability_bp) / 10_000.0,
        latency: slo.latency.as_secs_f64(),
    });
    Method { name: name(method), workload: method.workload.to_owned(), promise }
}

/// The package of a fact is its publisher's.
fn facts() -> Vec<Flow> {
    let package = |name: &str| name.split('.').take(2).collect::<Vec<_>>().join(".");
    let publisher = |schema: &str| {
        let of = |m: &&MethodPolicy| package(m.path.trim_start_matches('/')) == package(schema);
        METHODS.iter().find(of).map(|method| method.workload.to_owned())
    };
    let flows = proto::fact::FACTS.iter().filter_map(|fact| {
        Some(Flow {
            topic: fact.topic.to_owned(),
            from: publisher(fact.schema)?,
            to: fact.consumers.iter().map(|consumer| (*consumer).to_owned()).collect(),
        })
    });
    flows.collect()
}

/// Stores and outsiders stand in the options of the services.
fn workloads() -> Result<Vec<Workload>> {
    let pool = DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).context("the descriptors")?;
    let mut workloads: BTreeMap<String, Workload> = BTreeMap::new();
    for service in pool.services() {
        let option = |name| option(&pool, &service, name);
        let Some(Value::String(name)) = option("stoa.policy.v1.workload") else { continue };
        let workload = workloads.entry(name.clone()).or_insert_with(|| Workload {
            name,
            stores: BTreeSet::new(),
            external: BTreeSet::new(),
        });
        let Some(Value::Message(needs)) = option("stoa.policy.v1.needs") else { continue };
        let list = |field: &str| needs.get_field_by_name(field).map(|value| value.into_owned());
        for store in list("stores").iter().filter_map(Value::as_list).flatten() {
            let kinds = needs.descriptor().get_field_by_name("stores");
            let kinds = kinds.and_then(|field| field.kind().as_enum().cloned());
            let kind = kinds.zip(store.as_enum_number()).and_then(|(k, n)| k.get_value(n));
            let kind = kind.context("a store of an unknown kind")?;
            workload.stores.insert(kind.name().trim_start_matches("STORE_").to_lowercase());
        }
        for external in list("external").iter().filter_map(Value::as_list).flatten() {
            let name = external.as_message().and_then(|m| m.get_field_by_name("name"));
            let name = name.and_then(|value| value.as_str().map(str::to_owned));
            workload.external.extend(name);
        }
    }
    Ok(workloads.into_values().collect())
}

fn option(pool: &DescriptorPool, service: &ServiceDescriptor, name: &str) -> Option<Value> {
    let extension = pool.get_extension_by_name(name)?;
    let options = service.options();
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_whole_contract_is_in_the_picture() {
        let house = house().unwrap();
        assert_eq!(house.methods.len(), METHODS.len());
        let workload = |name: &str| house.workloads.iter().find(|w| w.name == name).unwrap();
        assert_eq!(workload("cart").stores, ["redis".to_owned()].into());
        assert_eq!(workload("payments").stores, ["postgres".to_owned()].into());
        assert_eq!(workload("payments").external, ["payment-provider".to_owned()].into());
        let served: BTreeSet<&str> = METHODS.iter().map(|method| method.workload).collect();
        assert!(served.iter().all(|name| house.workloads.iter().any(|w| w.name == *name)));
        let call = |from: &str, to: &str| house.calls.iter().any(|c| c.from == from && c.to == to);
        assert!(call("orders", "payments") && call("edge", "orders") && !call("cart", "orders"));
        assert_eq!(house.facts.len(), proto::fact::FACTS.len());
        let placed = house.facts.iter().find(|fact| fact.topic == "orders.v1.order_placed");
        assert!(placed.is_none_or(|fact| fact.from == "orders"));
    }
}
