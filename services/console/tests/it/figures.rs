//! Figures, as a Prometheus answers them: a double, because what is asked here must have
//! known answers. The real one is asked in `tests/browser`.

use std::collections::HashMap;

use axum::extract::Query;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::world::World;

async fn query(Query(asked): Query<HashMap<String, String>>) -> Json<Value> {
    let query = &asked["query"];
    let place = "stoa.orders.v1.OrderService/PlaceOrder";
    let series = |labels: Value, value: &str| json!({"metric": labels, "value": [0, value]});
    let of = |status: &str, value: &str| {
        let labels =
            json!({"job": "orders", "rpc_method": place, "rpc_response_status_code": status});
        series(labels, value)
    };
    let result = match query.as_str() {
        q if q.contains("(rate(rpc_server_call_duration_seconds_count[") => {
            vec![of("OK", "9"), of("UNAVAILABLE", "1"), of("UNAUTHENTICATED", "50")]
        }
        q if q.contains("(increase(rpc_server_call_duration_seconds_count[") => {
            vec![of("OK", "99900"), of("INTERNAL", "50")]
        }
        "max(sagas_overdue)" => vec![series(json!({}), "2")],
        q if q.contains("events_dead_letters") => {
            let labels = json!({"consumer": "notifications", "topic": "orders.v1.order_confirmed"});
            vec![series(labels, "3")]
        }
        _ => Vec::new(),
    };
    let data = json!({"resultType": "vector", "result": result});
    Json(json!({"status": "success", "data": data}))
}

async fn alerts() -> Json<Value> {
    let alert = json!({
        "labels": {"alertname": "DeadLetters", "severity": "ticket"},
        "annotations": {
            "summary": "Facts are dead",
            "runbook": "docs/operations/runbooks/facts.md#deadletters",
        },
        "state": "firing",
        "activeAt": "2026-01-01T00:00:00Z",
    });
    Json(json!({"status": "success", "data": {"alerts": [alert]}}))
}

#[tokio::test]
async fn a_moment_is_put_together_from_what_prometheus_answers() {
    let router = Router::new()
        .route("/api/v1/query", get(query))
        .route("/api/v1/query_range", get(query))
        .route("/api/v1/alerts", get(alerts));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    let world = World::start(&["--prometheus-url", &url]).await;

    let moment = world.json("/api/now").await;
    assert_eq!(moment["sources"]["prometheus"], Value::Null);
    let edges = moment["graph"]["edges"].as_array().unwrap();
    let edge = edges.iter().find(|e| e["from"] == "edge" && e["to"] == "orders").unwrap();
    assert_eq!((&edge["rate"], &edge["errors"]), (&json!(10.0), &json!(0.1)));
    assert_eq!(edge["health"], "failing");
    assert_eq!(moment["sagas"]["overdue"], 2.0);
    assert_eq!(moment["headline"]["level"], "bad");
    let budgets = moment["budgets"].as_array().unwrap();
    let left = budgets[0]["failures"]["left"].as_f64().unwrap();
    assert!(budgets[0]["method"].as_str().unwrap().ends_with("/PlaceOrder"), "{}", budgets[0]);
    assert!((left - 0.5).abs() < 0.01, "{left}");
    let queues = moment["queues"].as_array().unwrap();
    let dead: f64 = queues.iter().filter_map(|queue| queue["dead"].as_f64()).sum();
    assert_eq!(dead, 3.0);
    assert_eq!(moment["alerts"][0]["runbook"], "facts#deadletters");
}
