//! The page of the race matrix names tests that exist, and all cases of the matrix.

use std::collections::BTreeSet;
use std::path::Path;

const PAGE: &str = "../../docs/payments/race-matrix.md";

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// `module::…::function` of every row.
fn named() -> BTreeSet<String> {
    let page = read(PAGE);
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.contains("::"));
    rows.filter_map(|row| row.split('`').rfind(|part| part.contains("::")))
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn every_row_names_a_test_that_exists() {
    let named = named();
    assert!(named.len() > 30, "the page is read: {}", named.len());
    for test in named {
        let (module, function) = test.rsplit_once("::").unwrap();
        let file = match module.strip_prefix("domain::") {
            Some(module) => format!("src/domain/{module}_tests.rs"),
            None => format!("tests/it/{}.rs", module.replace("::", "/")),
        };
        assert!(
            read(&file).contains(&format!("async fn {function}("))
                || read(&file).contains(&format!("fn {function}(")),
            "{test}"
        );
    }
}

#[test]
fn every_case_of_the_matrix_has_a_row() {
    let named = named();
    for module in ["news", "lost", "together"] {
        let source = read(&format!("tests/it/matrix/{module}.rs"));
        let (_, cases) = source.split_once("at_every_provider! {").unwrap();
        let (cases, _) = cases.split_once('}').unwrap();
        for case in cases.split_whitespace() {
            let case = format!("matrix::{module}::{case}");
            assert!(named.contains(&case), "{case} stands in no row");
        }
    }
}
