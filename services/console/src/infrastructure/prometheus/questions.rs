//! What is asked, in PromQL.

use std::collections::BTreeSet;

use crate::domain::house::House;

/// A name and a query.
pub(super) type Question = (&'static str, String);

/// The graph, sagas, queues and processes of this moment. Replicas count the same sagas,
/// queues and outboxes: hence the maximum over them.
pub(super) fn now(window: &str) -> Vec<Question> {
    let rate = |by: &str, metric: &str| format!("sum by ({by}) (rate({metric}[{window}]))");
    vec![
        ("served", rate(SERVED, "rpc_server_call_duration_seconds_count")),
        ("served_buckets", rate("job, rpc_method, le", "rpc_server_call_duration_seconds_bucket")),
        ("called", rate(SERVED, "rpc_client_call_duration_seconds_count")),
        ("called_buckets", rate("job, rpc_method, le", "rpc_client_call_duration_seconds_bucket")),
        ("breakers", "max by (job, callee) (rpc_client_breaker_state)".to_owned()),
        ("retries", rate("job, callee", "rpc_client_retries_total")),
        ("refused", rate("job, callee", "rpc_client_refused_total")),
        ("edge", rate("envoy_response_code_class", EDGE)),
        ("edge_buckets", rate("le", EDGE_TIME)),
        (
            "stored",
            rate(
                "job, db_operation_name, error_type",
                "db_client_operation_duration_seconds_count",
            ),
        ),
        (
            "stored_buckets",
            rate("job, db_operation_name, le", "db_client_operation_duration_seconds_bucket"),
        ),
        ("sent", rate("job, messaging_destination_name", "messaging_client_sent_messages_total")),
        ("consumed", rate(CONSUMED, "messaging_client_consumed_messages_total")),
        ("processed_buckets", rate(PROCESSED, "messaging_process_duration_seconds_bucket")),
        ("provider", rate("operation, status", "payments_provider_duration_seconds_count")),
        ("provider_buckets", rate("operation, le", "payments_provider_duration_seconds_bucket")),
        ("mailed", rate("outcome", "notifications_deliveries_total")),
        ("waiting", "max by (consumer, topic) (events_waiting)".to_owned()),
        ("dead", "max by (consumer, topic) (events_dead_letters)".to_owned()),
        ("unsent", "max by (job) (outbox_unsent)".to_owned()),
        ("unsent_age", "max by (job) (outbox_oldest_age_seconds)".to_owned()),
        ("relays", "max by (job) (outbox_relay_lead)".to_owned()),
        ("sagas", "max by (direction, step) (sagas_running)".to_owned()),
        ("sagas_overdue", "max(sagas_overdue)".to_owned()),
        ("sagas_oldest", "max(sagas_oldest_age_seconds)".to_owned()),
        (
            "sagas_ended",
            "sum by (kind, outcome) (increase(saga_duration_seconds_count[5m]))".to_owned(),
        ),
        ("up", "min by (job) (up)".to_owned()),
        ("memory", "sum by (job) (process_resident_memory_bytes)".to_owned()),
        ("uptime", "min by (job) (time() - process_start_time_seconds)".to_owned()),
        ("restarts", "max by (job) (changes(process_start_time_seconds[1h]))".to_owned()),
    ]
}

const SERVED: &str = "job, rpc_method, rpc_response_status_code";
const CONSUMED: &str = "messaging_consumer_group_name, messaging_destination_name, outcome";
const PROCESSED: &str = "messaging_consumer_group_name, messaging_destination_name, le";
/// Envoy counts its own interface, too, under this name.
const EDGE: &str = r#"envoy_http_downstream_rq_xx{envoy_http_conn_manager_prefix!="admin"}"#;
const EDGE_TIME: &str =
    r#"envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix!="admin"}"#;

/// Requests, and those that were in time, over a short time, an hour and the budget's.
pub(super) fn promises(house: &House, window: &str) -> Vec<Question> {
    let promised = house.methods.iter().filter_map(|method| method.promise);
    // As both Prometheus' client and Envoy write bounds: 0.05, 1, 2.5.
    let bounds: BTreeSet<String> = promised.map(|promise| promise.latency.to_string()).collect();
    let bounds: Vec<String> = bounds.iter().map(|bound| bound.replace('.', "[.]")).collect();
    let bounds = bounds.join("|");
    let all = |window: &str| {
        format!(
            "sum by (rpc_method, rpc_response_status_code) \
             (increase(rpc_server_call_duration_seconds_count[{window}]))"
        )
    };
    let timely = |window: &str| {
        format!(
            "sum by (rpc_method, rpc_response_status_code, le) \
             (increase(rpc_server_call_duration_seconds_bucket{{le=~\"{bounds}\"}}[{window}]))"
        )
    };
    vec![
        ("promised_window", all(window)),
        ("promised_1h", all("1h")),
        ("promised_5m", all("5m")),
        ("timely_window", timely(window)),
        ("timely_1h", timely("1h")),
        ("timely_5m", timely("5m")),
    ]
}

/// Lines of the last quarter of an hour.
pub(super) fn history() -> Vec<Question> {
    let served = "rpc_server_call_duration_seconds";
    let failures = "rpc_response_status_code=~\"UNKNOWN|DEADLINE_EXCEEDED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS\"";
    vec![
        ("requests", format!("sum(rate({EDGE}[30s]))")),
        (
            "errors",
            format!(
                "(sum(rate({served}_count{{{failures}}}[30s])) or vector(0)) \
                 / (sum(rate({served}_count[30s])) > 0)"
            ),
        ),
        ("p99", format!("histogram_quantile(0.99, sum by (le) (rate({EDGE_TIME}[30s]))) / 1000")),
        ("orders", "sum(rate(saga_duration_seconds_count{kind=\"checkout\"}[1m])) * 60".to_owned()),
        ("waiting", "sum(max by (consumer, topic) (events_waiting))".to_owned()),
    ]
}
