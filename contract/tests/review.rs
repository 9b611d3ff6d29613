//! Every kind of change is named: what it is, whom it concerns, whether it breaks.
#![allow(clippy::unwrap_used)]

#[path = "edits/checkout.rs"]
mod checkout;

use contract::Contract;
use contract::review::{Approvals, Change, Effect};

use checkout::{Edit, checkout};

const ORDERS: &str = "orders/v1/orders.proto";
const ORDER_FACTS: &str = "orders/v1/events.proto";
const CATALOG: &str = "catalog/v1/catalog.proto";
const ROLES: &str = "policy/v1/roles.proto";

/// The house's contract with some edits.
fn edited(edits: &[Edit]) -> Contract {
    contract::load(checkout(edits).path()).unwrap()
}

fn between(before: &[Edit], after: &[Edit]) -> Vec<Change> {
    contract::review::changes(&edited(before), &edited(after)).unwrap()
}

fn after(edits: &[Edit]) -> Vec<Change> {
    between(&[], edits)
}

/// The one change there is: element, what, before, after.
fn only(changes: &[Change]) -> (&str, &str, &str, &str, Effect) {
    assert_eq!(changes.len(), 1, "{changes:#?}");
    let Change { element, what, before, after, effect, .. } = &changes[0];
    (element, what, before, after, *effect)
}

#[test]
fn a_contract_does_not_differ_from_itself() {
    assert_eq!(after(&[]), []);
}

#[test]
fn a_shorter_deadline_breaks_and_a_longer_one_loosens() {
    let shorter = [(ORDERS, "rpc PlaceOrder(", "deadline_ms: 10000", "deadline_ms: 500")];
    let element = "stoa.orders.v1.OrderService/PlaceOrder";
    let breaks = Effect::Breaks("DEADLINE_SHORTENED");
    let changes = after(&shorter);
    assert_eq!(only(&changes), (element, "deadline", "10000 ms", "500 ms", breaks));
    let changes = between(&shorter, &[]);
    assert_eq!(only(&changes), (element, "deadline", "500 ms", "10000 ms", Effect::Loosened));
}

#[test]
fn a_moved_rest_path_breaks_though_buf_does_not_see_it() {
    let changes = after(&[(ORDERS, "rpc CancelOrder(", "}:cancel", "}:revoke")]);
    let (_, what, before, after, effect) = only(&changes);
    assert_eq!((what, effect), ("REST", Effect::Breaks("REST_CHANGED")));
    assert_eq!(before, "POST /v1/orders/{order_id}:cancel (body *)");
    assert_eq!(after, "POST /v1/orders/{order_id}:revoke (body *)");
}

#[test]
fn another_permission_names_the_roles_that_lose_and_gain_the_method() {
    let stricter = (ORDERS, "rpc GetOrder(", "\"orders:read\"", "\"catalog:write\"");
    let changes = after(&[stricter]);
    let (_, what, _, now, effect) = only(&changes);
    assert_eq!((what, effect), ("access", Effect::Breaks("ACCESS_TIGHTENED")));
    assert_eq!(now, "permission catalog:write (manager, admin)");
    assert_eq!(changes[0].note, "may no longer call: customer, synthetic");

    let changes = between(&[stricter], &[]);
    assert_eq!(only(&changes).4, Effect::Loosened);
    assert_eq!(changes[0].note, "may call now: customer, synthetic");
}

#[test]
fn a_public_method_that_asks_for_a_user_shuts_out_the_anonymous() {
    let changes = after(&[(CATALOG, "rpc GetProduct(", "public: {}", "signed_in: {}")]);
    assert_eq!(only(&changes).4, Effect::Breaks("ACCESS_TIGHTENED"));
    assert!(changes[0].note.starts_with("may no longer call: anonymous"), "{:?}", changes[0]);
}

#[test]
fn a_role_that_loses_a_permission_breaks_and_its_methods_are_named() {
    let changes = after(&[
        (ROLES, "name: \"customer\"", "\"orders:cancel\",", ""),
        (
            ROLES,
            "name: \"synthetic\"",
            "includes: \"customer\"",
            "includes: \"customer\" permissions: [\"orders:cancel\"]",
        ),
        (ROLES, "name: \"manager\"", "\"catalog:write\",", "\"catalog:write\", \"orders:cancel\","),
    ]);
    let lost = Effect::Breaks("PERMISSION_LOST");
    assert_eq!(only(&changes), ("customer", "permission", "orders:cancel", "", lost));
    assert_eq!(changes[0].note, "opens: CancelOrder");
}

#[test]
fn a_caller_that_goes_breaks_and_one_that_comes_is_added() {
    let fewer = [(CATALOG, "rpc BatchGetProducts(", "\"cart\",", "")];
    let gone = Effect::Breaks("CALLER_REMOVED");
    let changes = after(&fewer);
    let element = "stoa.catalog.v1.CatalogService/BatchGetProducts";
    assert_eq!(only(&changes), (element, "caller", "cart", "", gone));
    let changes = between(&fewer, &[]);
    assert_eq!(only(&changes), (element, "caller", "", "cart", Effect::Added));
}

#[test]
fn a_key_that_is_newly_asked_for_breaks() {
    let deadline = "deadline_ms: 10000";
    let changes = after(&[(
        ORDERS,
        "rpc CancelOrder(",
        deadline,
        "deadline_ms: 10000 idempotency_key: true",
    )]);
    let newly = Effect::Breaks("IDEMPOTENCY_KEY_REQUIRED");
    assert_eq!((only(&changes).1, only(&changes).4), ("Idempotency-Key", newly));
}

#[test]
fn limits_that_shrink_break_and_promises_are_shown() {
    let law = "deadline_ms: 10000 rate: {per_minute: 5 burst: 1} max_body_bytes: 100";
    let changes = after(&[(ORDERS, "rpc CancelOrder(", "deadline_ms: 10000", law)]);
    let effects: Vec<_> = changes.iter().map(|c| (c.what.as_str(), c.effect)).collect();
    let rate = ("rate", Effect::Breaks("RATE_LOWERED"));
    assert_eq!(effects, [rate, ("body limit", Effect::Breaks("BODY_LIMIT_LOWERED"))]);

    let slo = (ORDERS, "rpc GetOrder(", "latency_ms: 50", "latency_ms: 80");
    let retry = (ORDERS, "rpc GetOrder(", "attempts: 1", "attempts: 2");
    let changes = after(&[slo, retry]);
    let effects: Vec<_> = changes.iter().map(|c| (c.what.as_str(), c.effect)).collect();
    assert_eq!(effects, [("retry", Effect::Changed), ("SLO", Effect::Loosened)]);
    assert_eq!(changes[1].after, "99.90 %, 99 % within 80 ms");
}

#[test]
fn a_reason_that_goes_or_gets_another_code_breaks_and_a_new_one_does_not() {
    let law = |code: &str| {
        format!("deadline_ms: 300000 errors: {{code: {code} reason: \"TOO_LATE\" when: \"late\"}}")
    };
    let (one, other) = (law("ABORTED").leak(), law("OUT_OF_RANGE").leak());
    let with = |law: &'static str| [(ORDERS, "rpc WatchOrder(", "deadline_ms: 300000", law)];
    let changes = between(&with(one), &[]);
    let gone = Effect::Breaks("REASON_REMOVED");
    let element = "stoa.orders.v1.OrderService/WatchOrder";
    assert_eq!(only(&changes), (element, "reason", "TOO_LATE", "", gone));
    assert_eq!(only(&after(&with(one))).4, Effect::Added);
    let changes = between(&with(one), &with(other));
    assert_eq!(only(&changes).4, Effect::Breaks("ERROR_CODE_CHANGED"));
}

#[test]
fn a_tighter_constraint_of_a_request_breaks_and_a_wider_one_loosens() {
    let tighter = [(CATALOG, "message ListProductsRequest", "max_len: 200", "max_len: 20")];
    let tightened = Effect::Breaks("CONSTRAINT_TIGHTENED");
    let changes = after(&tighter);
    let (element, what, before, now, effect) = only(&changes);
    assert!(element.starts_with("stoa.catalog.v1.ListProductsRequest."), "{element}");
    assert_eq!((what, before, now, effect), ("string.max_len", "200", "20", tightened));
    assert_eq!(changes[0].note, "used by ListProducts (request)");
    assert_eq!(only(&between(&tighter, &[])).4, Effect::Loosened);
}

#[test]
fn a_new_field_breaks_only_if_nobody_may_leave_it_out() {
    let new = |options: &str| {
        let field = format!("{{\n  string note = 99{options};\n");
        let edit = (ORDERS, "message CancelOrderRequest ", "{\n", field.as_str());
        let changes = after(&[edit]);
        only(&changes).4
    };
    assert_eq!(new(""), Effect::Added);
    assert_eq!(new(" [(buf.validate.field).string.max_len = 9]"), Effect::Added);
    let required = Effect::Breaks("FIELD_REQUIRED");
    assert_eq!(new(" [(buf.validate.field).string.min_len = 1]"), required);
    assert_eq!(new(" [(buf.validate.field).string.uuid = true]"), required);
}

#[test]
fn what_buf_sees_is_shown_and_left_to_it() {
    let changes = after(&[(ORDER_FACTS, "message OrderFailed", "string reason = 3;", "")]);
    let element = "stoa.orders.v1.OrderFailed.reason";
    assert_eq!(only(&changes), (element, "field", "string = 3", "", Effect::BreaksWire));
    let renumbered = "string reason = 4;";
    let changes = after(&[(ORDER_FACTS, "message OrderFailed", "string reason = 3;", renumbered)]);
    let wire = Effect::BreaksWire;
    assert_eq!(only(&changes), (element, "type", "string = 3", "string = 4", wire));
}

#[test]
fn a_field_that_becomes_personal_is_tightened_and_the_other_way_loosened() {
    let personal = "string reason = 3 [(stoa.policy.v1.sensitivity) = SENSITIVITY_PERSONAL];";
    let edit = [(ORDER_FACTS, "message OrderFailed", "string reason = 3;", personal)];
    let changes = after(&edit);
    let element = "stoa.orders.v1.OrderFailed.reason";
    let tightened = Effect::Tightened;
    assert_eq!(only(&changes), (element, "sensitivity", "none", "personal", tightened));
    assert_eq!(only(&between(&edit, &[])).4, Effect::Loosened);
}

#[test]
fn a_resource_that_becomes_its_owners_alone_breaks() {
    let owned = (ORDERS, "message GetOrderRequest", "owned: true", "owned: false");
    let changes = between(&[owned], &[]);
    assert_eq!(only(&changes).4, Effect::Breaks("RESOURCE_OWNED"));
}

#[test]
fn a_fact_under_another_topic_or_key_or_with_a_consumer_less_breaks() {
    let of = |old, new| {
        let changes = after(&[(ORDER_FACTS, "message OrderFailed", old, new)]);
        let (element, _, _, _, effect) = only(&changes);
        assert_eq!(element, "stoa.orders.v1.OrderFailed");
        effect
    };
    let topic = of("\"orders.v1.order_failed\"", "\"orders.v1.order_broken\"");
    assert_eq!(topic, Effect::Breaks("TOPIC_CHANGED"));
    assert_eq!(of("key: \"order_id\"", "key: \"user_id\""), Effect::Breaks("KEY_CHANGED"));
    let consumers = "consumers: [\"notifications\"]";
    assert_eq!(of(consumers, ""), Effect::Breaks("CONSUMER_REMOVED"));
    assert_eq!(of(consumers, "consumers: [\"notifications\", \"payments\"]"), Effect::Added);
}

#[test]
fn what_a_workload_needs_is_shown() {
    let changes = after(&[(ORDERS, "service OrderService", "[STORE_POSTGRES]", "[STORE_REDIS]")]);
    let needs: Vec<_> =
        changes.iter().map(|c| (c.what.as_str(), c.before.as_str(), c.after.as_str())).collect();
    assert_eq!(needs, [("needs", "Postgres", ""), ("needs", "", "Redis")]);
}

/// One RPC with a permission of its own.
const ARCHIVE: [Edit; 2] = [
    (
        CATALOG,
        "service CatalogService ",
        "{\n",
        "{\n  rpc ArchiveProduct(GetProductRequest) returns (Product) {
         option (google.api.http) = {post: \"/v1/products/{product_id}:archive\" body: \"*\"};
         option (stoa.policy.v1.method) = {access: {permission: \"catalog:archive\"} deadline_ms: 900};
         }\n",
    ),
    (ROLES, "name: \"manager\"", "\"catalog:write\",", "\"catalog:write\", \"catalog:archive\","),
];

#[test]
fn a_new_method_is_shown_with_its_law_and_everything_generated_from_it() {
    let (before, after) = (edited(&[]), edited(&ARCHIVE));
    let review = contract::review::review(&before, &after).unwrap();
    let text = review.to_markdown("main", &[]);
    for part in [
        "### stoa.catalog.v1.CatalogService",
        "| ArchiveProduct | method | – | POST /v1/products/{product_id}:archive (body *); \
         permission catalog:archive (manager, admin); callers: none; deadline 900 ms;",
        "| manager | permission | – | catalog:archive | loosened; opens: ArchiveProduct |",
        "| admin | permission | – | catalog:archive | loosened; opens: ArchiveProduct |",
        "- `envoy/edge.yaml` +",
        "- `envoy/descriptor.binpb` (binary)",
        "- `proto/src/gen/policy.rs` +",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(review.changes.iter().all(|c| c.as_break().is_none()), "{:#?}", review.changes);

    let back = contract::review::changes(&after, &before).unwrap();
    let gone = back.iter().find(|c| c.what == "method").unwrap();
    assert_eq!(gone.effect, Effect::BreaksWire);
}

#[test]
fn a_break_passes_with_an_entry_for_it_and_with_no_other() {
    let to = |deadline| [(ORDERS, "rpc PlaceOrder(", "deadline_ms: 10000", deadline)];
    let breaks =
        |deadline| -> Vec<_> { after(&to(deadline)).iter().filter_map(Change::as_break).collect() };
    let shorter = breaks("deadline_ms: 5000");
    let none = Approvals::default();
    assert_eq!(none.missing(&shorter).len(), 1);
    let entry = shorter[0].entry();
    assert!(entry.contains("now: \"deadline is 5000 ms\""), "{entry}");
    assert!(Approvals::parse(&entry).is_err(), "an entry without a reason");

    let entry = entry.replace("reason: ", "reason: measured").replace("approved: ", "approved: #7");
    let entry = entry.replace("approved: #7", "approved: \"#7\"");
    let approvals = Approvals::parse(&entry).unwrap();
    assert!(approvals.missing(&shorter).is_empty());
    assert!(approvals.stale(&shorter).is_empty());
    let shortest = breaks("deadline_ms: 500");
    assert_eq!(approvals.missing(&shortest).len(), 1);
    assert_eq!(approvals.stale(&shortest).len(), 1);
}
