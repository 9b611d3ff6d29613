//! The page under `/docs`, through the edge.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::client::Client;
use crate::platform::with_platform;

async fn fetch(client: &Client, path: &str) -> (StatusCode, HeaderMap, String) {
    let answer = client.request(reqwest::Method::GET, path).send().await.expect("an answer");
    let (status, headers) = (answer.status(), answer.headers().clone());
    (status, headers, answer.text().await.expect("text"))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map(|v| v.to_str().expect("text")).unwrap_or_default()
}

/// The addresses that the page names.
fn named(page: &str) -> Vec<&str> {
    let quoted = page.split('"').skip(1).step_by(2);
    quoted.filter(|text| text.starts_with('/') || text.contains("://")).collect()
}

#[test]
fn the_page_and_all_that_it_names_are_served_by_the_edge_itself() {
    with_platform(async |platform| {
        let anybody = platform.anonymous();
        let (status, headers, page) = fetch(&anybody, "/docs").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(header(&headers, "content-type"), "text/html; charset=utf-8");
        let policy = header(&headers, "content-security-policy");
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        let names = named(&page);
        assert!(names.contains(&"/docs/openapi.yaml"), "{names:?}");
        for name in names {
            let (status, ..) = fetch(&anybody, name).await;
            assert_eq!(status, StatusCode::OK, "{name}");
        }
    });
}

#[test]
fn the_document_is_the_one_of_this_checkout() {
    with_platform(async |platform| {
        let (status, headers, text) = fetch(&platform.anonymous(), "/docs/openapi.yaml").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(header(&headers, "content-type"), "application/yaml");
        let ours = include_str!("../../../docs/api/openapi.yaml");
        assert_eq!(text.len(), ours.len());
        assert!(text == ours);
    });
}

#[test]
fn beside_the_page_everything_else_is_refused_as_before() {
    with_platform(async |platform| {
        let anybody = platform.anonymous();
        for path in ["/docs/nothing", "/docsx", "/docs/..;/", "/docs/viewer/", "/readyz"] {
            let refused = anybody.get(path).await;
            let found = (refused.status, refused.reason());
            assert_eq!(found, (StatusCode::NOT_FOUND, "ROUTE_NOT_FOUND"), "{path}");
        }
        let (_, headers, _) = fetch(&anybody, "/v1/categories").await;
        let policy = header(&headers, "content-security-policy");
        assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'");
        for path in ["/docs", "/docs/openapi.yaml"] {
            let refused = anybody.post(path, serde_json::json!({})).await;
            assert_eq!(refused.status, StatusCode::NOT_FOUND, "{path}");
        }
    });
}
