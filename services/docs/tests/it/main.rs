//! The pages, over HTTP.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use docs::app::App;
use docs::config::Config;
use reqwest::{Method, Response};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The pages while a test runs.
struct Pages {
    base: String,
    files: TempDir,
    _stop: tokio_util::sync::DropGuard,
}

impl Pages {
    async fn start() -> Self {
        let files = tempfile::tempdir().unwrap();
        for name in docs::pages::VIEWER.iter().chain(&["openapi.yaml"]) {
            std::fs::write(files.path().join(name), format!("# {name}")).unwrap();
        }
        let dir = files.path().to_str().unwrap();
        let document = format!("{dir}/openapi.yaml");
        let config = Config::parse_from(
            ["docs", "--http-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0"]
                .into_iter()
                .chain(["--document", &document, "--viewer-dir", dir]),
        );
        let app = App::build(config, Arc::new(String::new)).await.unwrap();
        let base = format!("http://{}", app.http_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(app.run(stop.clone()));
        Self { base, files, _stop: stop.drop_guard() }
    }

    async fn ask(&self, method: Method, path: &str) -> Response {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
        client.request(method, format!("{}{path}", self.base)).send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.ask(Method::GET, path).await
    }
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map(|v| v.to_str().unwrap()).unwrap_or_default()
}

#[tokio::test]
async fn every_file_has_its_media_type_and_a_browser_is_kept_to_this_origin() {
    let pages = Pages::start().await;
    for (path, media_type) in [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/", "text/html; charset=utf-8"),
        ("/docs/start.js", "text/javascript; charset=utf-8"),
        ("/docs/page.css", "text/css; charset=utf-8"),
        ("/docs/icon.svg", "image/svg+xml"),
        ("/docs/openapi.yaml", "application/yaml"),
        ("/docs/viewer/swagger-ui-bundle.js", "text/javascript"),
        ("/docs/viewer/swagger-ui.css", "text/css"),
    ] {
        let answer = pages.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(header(&answer, "content-type"), media_type, "{path}");
        assert_eq!(header(&answer, "cache-control"), "no-cache", "{path}");
        let policy = header(&answer, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}");
        assert!(!policy.contains("http"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let pages = Pages::start().await;
    let first = pages.get("/docs/openapi.yaml").await;
    let client = reqwest::Client::new();
    let again = client
        .get(format!("{}/docs/openapi.yaml", pages.base))
        .header("if-modified-since", header(&first, "last-modified"));
    assert_eq!(again.send().await.unwrap().status(), 304);
}

#[tokio::test]
async fn large_files_are_compressed_for_those_who_can_read_that() {
    let pages = Pages::start().await;
    std::fs::write(pages.files.path().join("swagger-ui.css"), "a{}".repeat(10_000)).unwrap();
    let path = format!("{}/docs/viewer/swagger-ui.css", pages.base);
    let ask = reqwest::Client::new().get(path).header("accept-encoding", "gzip");
    let answer = ask.send().await.unwrap();
    assert_eq!(header(&answer, "content-encoding"), "gzip");
    assert!(answer.bytes().await.unwrap().len() < 1000);
}

#[tokio::test]
async fn nothing_else_exists_and_nothing_can_be_written() {
    let pages = Pages::start().await;
    for path in ["/", "/docs/nothing", "/docs/viewer/", "/docs/viewer/nothing.js", "/v1/products"] {
        let answer = pages.get(path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(header(&answer, "content-type"), "application/json", "{path}");
        assert!(answer.text().await.unwrap().contains("ROUTE_NOT_FOUND"), "{path}");
    }
    for path in ["/docs/viewer/%2e%2e/secret", "/docs/viewer/..%2fsecret"] {
        assert_eq!(pages.get(path).await.status(), 404, "{path}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let answer = pages.ask(method.clone(), "/docs/openapi.yaml").await;
        assert_eq!(answer.status(), 404, "{method}");
    }
}

#[tokio::test]
async fn without_its_files_it_does_not_start() {
    let files = tempfile::tempdir().unwrap();
    let dir = files.path().to_str().unwrap();
    let config = Config::parse_from(["docs", "--document", "none.yaml", "--viewer-dir", dir]);
    let error = App::build(config, Arc::new(String::new)).await.err().unwrap().to_string();
    assert!(error.contains("swagger-ui-bundle.js"), "{error}");
}
