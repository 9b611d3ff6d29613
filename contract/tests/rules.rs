//! A contract that breaks a rule is refused, and the element is named.

#![allow(clippy::unwrap_used)]

#[path = "edits/checkout.rs"]
mod checkout;

use checkout::checkout;

#[track_caller]
fn refused(file: &str, old: &str, new: &str, expected: &str) {
    let copy = checkout(&[(file, "", old, new)]);
    let error = match contract::load(copy.path()) {
        Ok(_) => panic!("a contract with {new:?} was accepted"),
        Err(error) => format!("{error:#}"),
    };
    assert!(error.contains(expected), "expected {expected:?} in {error:?}");
}

const ORDERS: &str = "orders/v1/orders.proto";
const CATALOG: &str = "catalog/v1/catalog.proto";
const INVENTORY: &str = "inventory/v1/inventory.proto";

#[test]
fn a_method_without_a_policy_is_refused() {
    let method = "  // One of the signed-in user's orders.\n";
    let bare = "  // Nothing.\n  rpc Bare(GetOrderRequest) returns (Order);\n\n";
    let named = "/stoa.orders.v1.OrderService/Bare: no (stoa.policy.v1.method)";
    refused(ORDERS, method, &format!("{bare}{method}"), named);
}

#[test]
fn a_service_without_a_workload_is_refused() {
    let option = "option (stoa.policy.v1.workload) = \"orders\";";
    refused(ORDERS, option, "", "stoa.orders.v1.OrderService: no (stoa.policy.v1.workload)");
}

#[test]
fn a_method_must_say_who_may_call() {
    let access = "access: {permission: \"orders:cancel\"}";
    refused(ORDERS, access, "access: {}", "CancelOrder: access says not who may call");
}

#[test]
fn a_permission_that_no_role_holds_is_refused() {
    let permission = "permission: \"orders:cancel\"";
    refused(ORDERS, permission, "permission: \"orders:undo\"", "no role holds orders:undo");
}

#[test]
fn a_method_needs_a_deadline() {
    refused(ORDERS, "deadline_ms: 10000", "deadline_ms: 0", "PlaceOrder: no deadline");
}

#[test]
fn only_an_idempotent_method_may_be_retried() {
    let slo = "      deadline_ms: 10000\n";
    let retry = "      deadline_ms: 10000\n      retry: {attempts: 1 per_try_ms: 100}\n";
    refused(ORDERS, slo, retry, "PlaceOrder: has a retry but no idempotency_level");
}

#[test]
fn promises_and_tries_fit_into_the_deadline() {
    let late = "PlaceOrder: promises an answer after its deadline";
    refused(ORDERS, "latency_ms: 500", "latency_ms: 10001", late);
    let long = "one try may not take longer than the deadline";
    refused(ORDERS, "per_try_ms: 1000", "per_try_ms: 3000", long);
    let share = "availability is not between 1 and 9,999";
    refused(ORDERS, "availability_bp: 9990", "availability_bp: 10000", share);
    refused(ORDERS, "per_minute: 60", "per_minute: 0", "a rate that lets nobody in");
}

#[test]
fn an_internal_method_names_its_callers_and_has_no_rest_form() {
    let callers = "callers: [\"orders\"]";
    refused(INVENTORY, callers, "", "Reserve: internal but names no caller");
    let option = "    option (stoa.policy.v1.method) = {\n      access: {\n        internal: {}";
    let http = format!("    option (google.api.http) = {{post: \"/v1/x\" body: \"*\"}};\n{option}");
    refused(INVENTORY, option, &http, "internal but with google.api.http");
}

#[test]
fn a_method_that_is_open_to_the_edge_has_a_rest_form() {
    let http = "option (google.api.http) = {get: \"/v1/products/{product_id}\"};";
    refused(CATALOG, http, "", "GetProduct: open to the edge but without google.api.http");
}

#[test]
fn what_a_path_names_is_known() {
    let resource =
        ",\n    (stoa.policy.v1.resource) = {\n      type: \"order\"\n      owned: true\n    }";
    let named = "stoa.orders.v1.GetOrderRequest.order_id: stands in a path but names no resource";
    refused(ORDERS, resource, "", named);
}

#[test]
fn a_map_cannot_cross_the_edge() {
    let field = "  string failure_reason = 7";
    let map = format!("  map<string, string> notes = 20;\n{field}");
    refused(ORDERS, field, &map, "stoa.orders.v1.Order.notes: a map must not cross the edge");
}

#[test]
fn a_fact_has_its_domains_topic_and_a_key_that_it_holds() {
    let events = "orders/v1/events.proto";
    let topic = "topic: \"orders.v1.order_placed\"";
    refused(events, topic, "topic: \"order_placed\"", "topic order_placed is not orders.v1.<fact>");
    refused(events, "key: \"order_id\"", "key: \"id\"", "key id is not a string field");
}

#[test]
fn a_constraint_that_the_compiler_does_not_know_is_refused() {
    let rule = "(buf.validate.field).string.uuid = true";
    let copy = checkout(&[(ORDERS, "", rule, "(buf.validate.field).string.ipv4 = true")]);
    let error = contract::generate(copy.path()).unwrap_err();
    assert!(format!("{error:#}").contains("string.ipv4 is not supported"), "{error:#}");
}

#[test]
fn an_unknown_option_is_refused() {
    refused(ORDERS, "deadline_ms: 10000", "deadline_sec: 10", "does not compile");
}

#[test]
fn who_sees_everybodys_resources_holds_a_real_permission_and_there_is_an_owner() {
    let payments = "payments/v1/payments.proto";
    let seen_by = "seen_by: \"payments:refund\"";
    let named = "GetPaymentRequest.payment_id: seen by payments:see, which no role holds";
    refused(payments, seen_by, "seen_by: \"payments:see\"", named);
    refused(payments, "owned: true\n      seen_by", "seen_by", "but nobody owns it");
}

#[test]
fn what_is_secret_or_personal_cannot_stand_in_a_url() {
    let token = "  string page_token = 2 [";
    let personal = format!("{token}\n    (stoa.policy.v1.sensitivity) = SENSITIVITY_PERSONAL,");
    let named = "stoa.orders.v1.ListOrdersRequest.page_token: secret or personal";
    refused(ORDERS, token, &personal, named);
}
