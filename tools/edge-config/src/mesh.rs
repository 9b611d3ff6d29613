//! What a sidecar does in the edge's stead.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::Config;

/// The cluster that is Envoy's own interface.
const ADMIN: &str = "envoy_admin";

/// Takes out TLS, and lets the sidecar see whom each request is for.
pub(crate) fn behind_a_sidecar(envoy: &mut Value, config: &Config) -> Result<()> {
    let resources = &mut envoy["static_resources"];
    let listeners = resources["listeners"].as_array_mut().context("no listeners")?;
    listeners.retain(|listener| listener["name"] != "tls");
    ensure!(listeners.len() == 1, "the template has other listeners than `plain` and `tls`");
    for listener in &mut *listeners {
        name_hosts(listener, config);
    }
    listeners.push(metrics(config));
    let clusters = resources["clusters"].as_array_mut().context("no clusters")?;
    for cluster in &mut *clusters {
        let name = cluster["name"].as_str().unwrap_or_default().to_owned();
        if !config.services.contains(&name) {
            continue;
        }
        let fields = cluster.as_object_mut().context("a cluster is no object")?;
        fields.remove("transport_socket").context("a service is called without TLS")?;
        for check in
            fields.get_mut("health_checks").and_then(Value::as_array_mut).into_iter().flatten()
        {
            check["grpc_health_check"]["authority"] = json!(config.host(&name));
        }
    }
    clusters.push(json!({
        "name": ADMIN,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": ADMIN,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {
                "address": "127.0.0.1",
                "port_value": config.edge_admin_port,
            }}}}]}],
        },
    }));
    Ok(())
}

/// A sidecar finds its routes by the authority: a service's own host. The one call by
/// gRPC that Envoy makes itself is to the collector of traces.
fn name_hosts(value: &mut Value, config: &Config) {
    match value {
        Value::Object(fields) => {
            if let Some(route) = fields.get_mut("route").and_then(Value::as_object_mut)
                && let Some(cluster) = route.get("cluster").and_then(Value::as_str)
                && config.services.iter().any(|service| service == cluster)
            {
                let host = config.host(cluster);
                route.insert("host_rewrite_literal".to_owned(), json!(host));
            }
            if let Some(call) = fields.get_mut("envoy_grpc").and_then(Value::as_object_mut) {
                call.insert("authority".to_owned(), json!(config.traces_host));
            }
            fields.values_mut().for_each(|field| name_hosts(field, config));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| name_hosts(item, config)),
        _ => {}
    }
}

/// Metrics and readiness, and nothing else of Envoy's own interface, which can also
/// change and end it.
fn metrics(config: &Config) -> Value {
    let route = |path: &str, to: &str| {
        json!({
            "match": {"path": path, "headers": [{"name": ":method", "string_match": {"exact": "GET"}}]},
            "route": {"cluster": ADMIN, "prefix_rewrite": to, "timeout": "5s"},
        })
    };
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "metrics",
        "route_config": {"virtual_hosts": [{
            "name": "metrics",
            "domains": ["*"],
            "routes": [route("/metrics", "/stats/prometheus"), route("/readyz", "/ready")],
        }]},
        "http_filters": [{
            "name": "envoy.filters.http.router",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            },
        }],
    });
    json!({
        "name": "metrics",
        "address": {"socket_address": {
            "address": "0.0.0.0",
            "port_value": config.edge_metrics_port,
        }},
        "ignore_global_conn_limit": true,
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": manager,
        }]}],
    })
}
