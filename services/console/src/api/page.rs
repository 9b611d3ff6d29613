//! The page's files, built in.

use std::path::PathBuf;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        /// Name and contents.
        const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../page/", $name)))),*];
    };
}

files![
    "index.html",
    "app.css",
    "views.css",
    "icon.svg",
    "main.js",
    "dom.js",
    "format.js",
    "layout.js",
    "parts.js",
    "overview.js",
    "traces.js",
    "waterfall.js",
    "orders.js",
    "queues.js",
    "promises.js",
    "processes.js",
];

/// Built in, or from a directory while somebody works on them.
#[derive(Clone, Debug)]
pub struct Page {
    pub dir: Option<PathBuf>,
}

/// One file of it.
pub async fn file(State(page): State<Page>, Path(name): Path<String>) -> Response {
    serve(&page, &name)
}

/// Every address of the page: which view it is, the page itself knows.
pub async fn index(State(page): State<Page>) -> Response {
    serve(&page, "index.html")
}

fn serve(page: &Page, name: &str) -> Response {
    let Some((name, built_in)) = FILES.iter().find(|(known, _)| *known == name) else {
        return (StatusCode::NOT_FOUND, "There is nothing here.\n").into_response();
    };
    let from_dir = page.dir.as_ref().and_then(|dir| std::fs::read_to_string(dir.join(name)).ok());
    let text = from_dir.unwrap_or_else(|| (*built_in).to_owned());
    ([(header::CONTENT_TYPE, media_type(name))], text).into_response()
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/javascript; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_file_of_the_page_is_built_in() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
        let mut found: Vec<_> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        let mut known: Vec<_> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        known.sort();
        assert_eq!(found, known);
    }
}
