//! The pages that alerts name, read where the alert is seen.

use std::path::PathBuf;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// Where they lie.
#[derive(Clone, Debug)]
pub struct Runbooks {
    pub dir: PathBuf,
}

/// One page; a name is letters and hyphens and nothing else.
pub async fn page(State(runbooks): State<Runbooks>, Path(name): Path<String>) -> Response {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let path = runbooks.dir.join(format!("{name}.md"));
    let text = if plain { tokio::fs::read_to_string(path).await.ok() } else { None };
    match text {
        Some(text) => {
            let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            (html, rendered(&name, &text)).into_response()
        }
        None => (StatusCode::NOT_FOUND, "There is no such page (RUNBOOKS_DIR).\n").into_response(),
    }
}

/// Headings can be linked to, as on the platforms where people read the repository; HTML
/// of the page itself is shown as text.
fn rendered(name: &str, text: &str) -> String {
    let mut parser = Parser::new_ext(text, Options::ENABLE_TABLES).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        event => event,
    });
    let mut events = Vec::new();
    while let Some(event) = parser.next() {
        let Event::Start(Tag::Heading { level, .. }) = event else {
            events.push(event);
            continue;
        };
        let until = |event: &Event<'_>| !matches!(event, Event::End(TagEnd::Heading(_)));
        let inside: Vec<_> = parser.by_ref().take_while(until).collect();
        events.push(heading(level, &inside));
        events.extend(inside);
        events.push(Event::End(TagEnd::Heading(level)));
    }
    let mut body = String::new();
    html::push_html(&mut body, events.into_iter());
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{name} · runbook</title>\n\
         <link rel=\"icon\" href=\"/page/icon.svg\">\n<link rel=\"stylesheet\" href=\"/page/app.css\">\n\
         <main class=\"prose\">\n<p><a href=\"/\">Console</a></p>\n{body}</main>\n</html>\n"
    )
}

fn heading<'a>(level: HeadingLevel, inside: &[Event<'_>]) -> Event<'a> {
    let text = inside.iter().map(|event| match event {
        Event::Text(text) | Event::Code(text) => text.to_string(),
        _ => String::new(),
    });
    let id: String = text.collect::<String>().to_lowercase();
    let keep = |c: char| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    };
    let id: String = id.chars().filter_map(keep).collect();
    let (classes, attrs) = (Vec::new(), Vec::new());
    Event::Start(Tag::Heading { level, id: Some(CowStr::from(id)), classes, attrs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_on_a_page_can_be_linked_to_and_html_is_text() {
        let page = rendered("facts", "# Facts\n\n## `FactsWait`\n\n<script>alert(1)</script>\n");
        assert!(page.contains("<h2 id=\"factswait\"><code>FactsWait</code></h2>"), "{page}");
        assert!(!page.contains("<script>"), "{page}");
    }
}
