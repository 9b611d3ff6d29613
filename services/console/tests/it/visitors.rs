//! Who is answered, and what a browser may do with the answer.

use reqwest::header::{CONTENT_SECURITY_POLICY, HOST, ORIGIN};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn names_that_are_not_this_machines_are_refused() {
    let world = World::start(&["--allowed-hosts", "console.example"]).await;
    for path in ["/", "/api/now", "/api/live", "/api/traces", "/page/main.js", "/runbooks/facts"] {
        let foreign = world.get(path).header(HOST, "evil.example").send().await.unwrap();
        assert_eq!(foreign.status(), 421, "{path}");
        let page = world.get(path).header(ORIGIN, "https://evil.example").send().await.unwrap();
        assert_eq!(page.status(), 421, "{path}");
        assert!(page.headers().get("access-control-allow-origin").is_none(), "{path}");
    }
    let allowed = world.get("/").header(HOST, "console.example").send().await.unwrap();
    assert_eq!(allowed.status(), 200);
}

#[tokio::test]
async fn every_answer_keeps_a_browser_to_this_origin() {
    let world = World::start(&[]).await;
    for path in ["/", "/traces/1", "/page/app.css", "/api/now", "/runbooks/facts", "/nothing"] {
        let answer = world.get(path).send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).unwrap().to_str().unwrap().to_owned();
        let policy = header(CONTENT_SECURITY_POLICY.as_str());
        assert!(policy.starts_with("default-src 'self'") && !policy.contains("unsafe"), "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{path}");
    }
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere_and_runs_nothing_inline() {
    let world = World::start(&[]).await;
    let page = world.get("/").send().await.unwrap().text().await.unwrap();
    assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
    assert!(!page.contains("style=") && !page.contains("<style") && !page.contains(" onclick"));
    let link = |word: &&str| word.contains("/page/");
    let files: Vec<&str> = page.split('"').filter(link).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        assert_eq!(world.get(file).send().await.unwrap().status(), 200, "{file}");
    }
}

#[tokio::test]
async fn a_runbook_is_shown_and_no_other_file() {
    let world = World::start(&[]).await;
    let page = world.get("/runbooks/facts").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("id=\"deadletters\"") && page.contains("<h1"), "{page}");
    for path in ["/runbooks/..%2f..%2f..%2fCargo", "/runbooks/%2e%2e%2ffacts", "/runbooks/nothing"]
    {
        assert_eq!(world.get(path).send().await.unwrap().status(), 404, "{path}");
    }
}

#[tokio::test]
async fn alertmanager_may_tell_what_it_told_people_and_a_form_of_a_page_may_not() {
    let world = World::start(&[]).await;
    let url = format!("{}/api/alerts", world.base);
    let body = json!({"version": "4", "alerts": [{
        "status": "firing",
        "labels": {"alertname": "FactsWait", "severity": "page"},
        "annotations": {"summary": "Facts of orders have waited"},
    }]});
    let told = world.http.post(&url).json(&body).send().await.unwrap();
    assert_eq!(told.status(), 200);
    let form = world.http.post(&url).header("content-type", "text/plain").body(body.to_string());
    assert_eq!(form.send().await.unwrap().status(), 415);
    let list = world.json("/api/alerts").await;
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!(list[0]["name"], "FactsWait");
}

#[tokio::test]
async fn the_stream_tells_at_once_and_ends_with_the_process() {
    let world = World::start(&[]).await;
    let mut stream = world.get("/api/live").send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let first = stream.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"data: {\"at\":"), "{first:?}");
    drop(world);
    let end = async { while let Ok(Some(_)) = stream.chunk().await {} };
    tokio::time::timeout(std::time::Duration::from_secs(5), end).await.unwrap();
}
