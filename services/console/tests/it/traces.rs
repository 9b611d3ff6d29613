//! Traces, sent by OpenTelemetry's own exporter.

use opentelemetry::trace::{
    Link, Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use serde_json::Value;

use crate::world::World;

struct Sender {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// A process that tells of itself.
fn sender(world: &World, service: &'static str) -> Sender {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(&world.otlp).build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter.unwrap())
        .with_resource(
            Resource::builder()
                .with_service_name(service)
                .with_attribute(KeyValue::new("service.version", "1.2.3"))
                .build(),
        )
        .build();
    let tracer = provider.tracer("test");
    Sender { provider, tracer }
}

impl Sender {
    fn span(&self, name: &'static str, kind: SpanKind, parent: &Context) -> Context {
        let span = self.tracer.span_builder(name).with_kind(kind);
        Context::new().with_span(self.tracer.build_with_context(span, parent))
    }

    async fn flush(&self) {
        let provider = self.provider.clone();
        tokio::task::spawn_blocking(move || provider.force_flush()).await.unwrap().unwrap();
    }
}

const PLACE: &str = "stoa.orders.v1.OrderService/PlaceOrder";

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_drawn_from_the_spans_of_all_who_took_part() {
    let world = World::start(&[]).await;
    let (orders, mail) = (sender(&world, "orders"), sender(&world, "notifications"));
    let place = orders.span(PLACE, SpanKind::Server, &Context::new());
    let sql = orders.span("INSERT orders", SpanKind::Client, &place);
    sql.span().set_attribute(KeyValue::new("db.system.name", "postgresql"));
    sql.span().set_status(Status::error("deadlock"));
    sql.span().end();
    let send = orders.span("send orders.v1.order_placed", SpanKind::Producer, &place);
    send.span().end();
    place.span().end();
    // A consumer that begins a trace of its own and points at its cause.
    let builder = mail
        .tracer
        .span_builder("process orders.v1.order_placed")
        .with_kind(SpanKind::Consumer)
        .with_links(vec![Link::with_context(send.span().span_context().clone())]);
    mail.tracer.build_with_context(builder, &Context::new()).end();
    orders.flush().await;
    mail.flush().await;

    let id = place.span().span_context().trace_id().to_string();
    let path = format!("/api/traces/{id}");
    let drawn = world.eventually(&path, |drawn| drawn["rows"].as_array().map(Vec::len) == Some(4));
    let drawn = drawn.await;
    let rows: Vec<(u64, &str, &str)> = drawn["rows"].as_array().unwrap().iter().map(row).collect();
    assert_eq!(
        rows,
        [
            (0, "orders", PLACE),
            (1, "orders", "INSERT orders"),
            (1, "orders", "send orders.v1.order_placed"),
            (2, "notifications", "process orders.v1.order_placed"),
        ]
    );
    assert_eq!(drawn["rows"][1]["error"], "deadlock");
    assert_eq!(drawn["rows"][0]["version"], "1.2.3");
    assert_eq!(drawn["rows"][3]["linked"], true);

    let found = world.json("/api/traces?name=placeorder&errors=1").await;
    assert_eq!(found["traces"][0]["trace"], id.as_str());
    assert_eq!(found["holding"]["spans"], 4);
    let none = world.json("/api/traces?service=cart").await;
    assert_eq!(none["traces"].as_array().map(Vec::len), Some(0));
    let order = &world.json("/api/orders").await[0];
    assert_eq!((&order["trace"], &order["failed"]), (&Value::from(id), &Value::from(true)));
}

fn row(row: &Value) -> (u64, &str, &str) {
    let text = |name: &str| row[name].as_str().unwrap();
    (row["depth"].as_u64().unwrap(), text("service"), text("name"))
}

#[tokio::test(flavor = "multi_thread")]
async fn without_prometheus_the_page_says_so_and_traces_tell_who_called_whom() {
    let world = World::start(&[]).await;
    let (edge, orders) = (sender(&world, "edge"), sender(&world, "orders"));
    let door = edge.span("POST /v1/orders", SpanKind::Server, &Context::new());
    orders.span(PLACE, SpanKind::Server, &door).span().end();
    door.span().end();
    orders.flush().await;
    edge.flush().await;
    let calls = |moment: &Value| {
        let edges = moment["graph"]["edges"].as_array().unwrap().clone();
        edges.into_iter().find(|e| e["from"] == "edge" && e["to"] == "orders").unwrap()
    };
    let moment = world.eventually("/api/now", |moment| calls(moment)["health"] != "idle").await;
    assert!(moment["sources"]["prometheus"].as_str().unwrap().contains("does not answer"));
    assert_eq!(moment["sources"]["traffic"], "traces");
    assert_eq!(calls(&moment)["entries"][0]["name"], PLACE);
    assert_eq!(moment["sagas"]["overdue"], Value::Null);
}

#[tokio::test]
async fn a_trace_that_never_came_is_not_found() {
    let world = World::start(&[]).await;
    for id in ["0af7651916cd43dd8448eb211c80319c", "nonsense", "%2e%2e"] {
        let answer = world.get(&format!("/api/traces/{id}")).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_by_the_setting() {
    let world = World::start(&["--traces-mib", "1", "--traces-max", "1000000"]).await;
    let orders = sender(&world, "orders");
    for _ in 0..4 {
        for _ in 0..500 {
            let span = orders.span(PLACE, SpanKind::Server, &Context::new());
            span.span().set_attribute(KeyValue::new("text", "x".repeat(1_500)));
            span.span().end();
        }
        orders.flush().await;
    }
    let full = |answer: &Value| answer["holding"]["gone"].as_u64() > Some(0);
    let answer = world.eventually("/api/traces", full).await;
    let held = answer["holding"]["bytes"].as_u64().unwrap();
    assert!(held <= 1024 * 1024 && held > 900 * 1024, "{held}");
}
