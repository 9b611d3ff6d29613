#![allow(clippy::unwrap_used)]
use std::path::Path;

use super::*;

fn pages() -> (Contract, Vec<(String, String)>) {
    let contract = crate::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
    let text = |f: File| {
        let name = f.path.file_name().unwrap().to_string_lossy().into_owned();
        (name, String::from_utf8(f.contents).unwrap())
    };
    let pages = files(&contract).unwrap().into_iter().map(text).collect();
    (contract, pages)
}

fn page<'a>(pages: &'a [(String, String)], name: &str) -> &'a str {
    &pages.iter().find(|(found, _)| found == name).unwrap().1
}

#[test]
fn every_method_has_a_section_and_every_link_to_one_leads_there() {
    let (contract, pages) = pages();
    let methods = page(&pages, "methods.md");
    let anchors: Vec<String> =
        methods.lines().filter_map(|line| line.strip_prefix("## ")).map(markdown::anchor).collect();
    for (_, method) in contract.methods() {
        assert!(methods.contains(&format!("\n## {}\n", method.path)), "{}", method.path);
    }
    let mut links = 0;
    for (name, text) in &pages {
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let Some((file, anchor)) = target.split_once('#') else { continue };
            if file == "methods.md" || (file.is_empty() && name == "methods.md") {
                assert!(anchors.iter().any(|a| a == anchor), "{name}: {target}");
                links += 1;
            }
        }
    }
    assert!(links > 100);
}

#[test]
fn every_row_of_a_table_has_the_cells_of_its_header() {
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    for (name, text) in pages().1 {
        let mut header = None;
        for line in text.lines() {
            if line.starts_with('|') {
                assert_eq!(cells(line), *header.get_or_insert(cells(line)), "{name}: {line}");
            } else {
                header = None;
            }
        }
    }
}

#[test]
fn a_secret_is_published_in_no_fact() {
    let pages = pages().1;
    assert!(page(&pages, "sensitive-fields.md").contains("PlaceOrderRequest.payment_token"));
    assert!(!page(&pages, "events.md").contains("| secret |"));
}
