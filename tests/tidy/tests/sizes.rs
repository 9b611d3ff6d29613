//! What keeps the code readable.

use crate::tree::{no_complaints, sources};

/// Lines of a source file, its unit tests not counted.
const SOURCE_LINES: usize = 300;
/// Lines of a test file.
const TEST_LINES: usize = 600;
/// Lines of a `main.rs` of a service.
const MAIN_LINES: usize = 25;

#[test]
fn files_stay_small() {
    let mut complaints = Vec::new();
    for source in sources(".", "rs") {
        let is_test = source.path.contains("/tests/") || source.path.ends_with("tests.rs");
        let body = source.text.split("#[cfg(test)]").next().unwrap_or_default();
        let limit = match &source.path {
            path if path.starts_with("services/") && path.ends_with("/main.rs") && !is_test => {
                MAIN_LINES
            }
            _ if is_test => TEST_LINES,
            _ => SOURCE_LINES,
        };
        let lines = if is_test { source.text.lines().count() } else { body.lines().count() };
        if lines > limit {
            complaints.push(format!("{}: {lines} lines, at most {limit}", source.path));
        }
    }
    no_complaints("a file is too long to read", &complaints);
}

#[test]
fn modules_open_with_a_sentence_of_purpose() {
    let complaints: Vec<_> = sources(".", "rs")
        .iter()
        .filter(|s| !s.text.starts_with("//!"))
        .filter(|s| !["build.rs", "tests.rs"].iter().any(|end| s.path.ends_with(end)))
        .map(|s| s.path.clone())
        .collect();
    no_complaints("a module does not open with `//!`", &complaints);
}

#[test]
fn there_is_no_mod_rs_and_nothing_called_common() {
    let words = ["/mod.rs", "/common", "/utils", "/helpers", "/misc"];
    let complaints: Vec<_> = sources(".", "rs")
        .iter()
        .filter(|s| words.iter().any(|w| s.path.contains(w)))
        .map(|s| s.path.clone())
        .collect();
    no_complaints("a file has a name that says nothing", &complaints);
}
