//! What must not be found, and finding it in whichever form it was written.

use std::collections::BTreeMap;
use std::path::Path;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use uuid::Uuid;
use walkdir::WalkDir;

/// A value that must not be shown, and whose it is.
#[derive(Debug, Clone)]
pub struct Needle {
    pub owner: String,
    /// Letters and digits: percent-encoding and JSON leave it as it is.
    pub text: String,
}

/// Everything that must not be found.
#[derive(Default)]
pub struct Needles {
    list: Vec<Needle>,
}

impl Needles {
    /// A new unique value; also in lower case, as addresses are stored.
    pub fn make(&mut self, owner: &str) -> String {
        let text = Uuid::now_v7().simple().to_string()[18..].to_owned();
        self.list.push(Needle { owner: owner.to_owned(), text: text.clone() });
        text
    }

    /// A value that somebody else made.
    pub fn add(&mut self, owner: &str, text: &str) {
        self.list.push(Needle { owner: owner.to_owned(), text: text.to_owned() });
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// A search for all of them at once, in every form, in either case.
    pub fn search(&self) -> Search<'_> {
        let mut owners = Vec::new();
        let mut forms = Vec::new();
        for needle in &self.list {
            let text = needle.text.as_str();
            let written =
                [text.to_owned(), hex(text), list(text)].into_iter().chain(in_base64(text));
            for form in written {
                owners.push(needle.owner.as_str());
                forms.push(form);
            }
        }
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(forms).unwrap();
        Search { owners, automaton }
    }
}

pub struct Search<'a> {
    /// By pattern.
    owners: Vec<&'a str>,
    automaton: AhoCorasick,
}

impl Search<'_> {
    /// Whose values stand in some bytes, each once with a piece of what is around it.
    pub fn found_in(&self, haystack: &[u8]) -> Vec<String> {
        let mut found = BTreeMap::new();
        for hit in self.automaton.find_iter(haystack) {
            let (from, to) = (hit.start().saturating_sub(300), haystack.len().min(hit.end() + 80));
            let owner = self.owners[hit.pattern().as_usize()];
            found.entry(owner).or_insert_with(|| String::from_utf8_lossy(&haystack[from..to]));
        }
        found.into_iter().map(|(owner, around)| format!("{owner} in: …{around}…")).collect()
    }
}

/// As bytes are written in hexadecimal.
fn hex(text: &str) -> String {
    text.bytes().map(|b| format!("{b:02x}")).collect()
}

/// As Rust's `Debug` writes bytes.
fn list(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|b| b.to_string()).collect();
    bytes.join(", ")
}

/// At each of the three places where it can begin, without what depends on its
/// neighbours.
fn in_base64(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for shift in 0..3 {
        let padded = format!("{}{text}", "x".repeat(shift));
        let whole = padded.len() / 3 * 4;
        let first = [0, 2, 3][shift];
        for code in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            forms.push(code[first..whole].to_owned());
        }
    }
    forms.dedup();
    forms
}

/// Whole files below a directory.
pub fn files_below(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let files = WalkDir::new(dir).into_iter().map(|entry| entry.unwrap());
    let files = files.filter(|entry| entry.file_type().is_file());
    files.map(|f| (f.path().display().to_string(), std::fs::read(f.path()).unwrap())).collect()
}

#[test]
fn a_needle_is_found_in_every_form() {
    let mut needles = Needles::default();
    let text = needles.make("the field");
    for shift in ["", "a", "ab", "abc"] {
        for form in [
            format!("{shift}{text}!"),
            format!("{shift}{}!", text.to_uppercase()),
            STANDARD_NO_PAD.encode(format!("{shift}{text}?>")),
            URL_SAFE_NO_PAD.encode(format!("{shift}{text}")),
            hex(&text),
            format!("{:?}", format!("{shift}{text}").as_bytes()),
            format!("%22{text}%22\\u0041"),
        ] {
            assert_eq!(needles.search().found_in(form.as_bytes()).len(), 1, "{form}");
        }
    }
    assert!(needles.search().found_in(b"nothing of it").is_empty());
}
