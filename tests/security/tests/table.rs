//! What was tried, row by row; a row that is not as expected fails the test.

use std::fmt::{Debug, Write as _};
use std::path::PathBuf;

/// The rows of one test.
pub struct Table {
    name: &'static str,
    rows: Vec<Row>,
}

struct Row {
    what: String,
    sent: String,
    expected: String,
    got: String,
    good: bool,
}

impl Table {
    /// `name` is the file's, without its ending.
    pub fn new(name: &'static str) -> Self {
        Self { name, rows: Vec::new() }
    }

    /// A case that has one right answer.
    pub fn same<T: Debug + PartialEq>(&mut self, what: &str, sent: &str, expected: T, got: T) {
        let good = expected == got;
        self.row(what, sent, &format!("{expected:?}"), &format!("{got:?}"), good);
    }

    /// A case that was judged already.
    pub fn row(&mut self, what: &str, sent: &str, expected: &str, got: &str, good: bool) {
        let [what, sent, expected, got] = [what, sent, expected, got].map(shown);
        self.rows.push(Row { what, sent, expected, got, good });
    }

    /// Writes `<target>/security/<name>.md`; fails with the rows that are wrong.
    pub fn end(self) {
        let wrong: Vec<String> = self.rows.iter().filter(|r| !r.good).map(Row::line).collect();
        let mut text = format!("# {}\n\n", self.name);
        writeln!(text, "{} cases, {} wrong.\n", self.rows.len(), wrong.len()).unwrap();
        text.push_str("| what | sent | expected | got |\n|---|---|---|---|\n");
        self.rows.iter().for_each(|row| writeln!(text, "{}", row.line()).unwrap());
        std::fs::create_dir_all(directory()).unwrap();
        std::fs::write(directory().join(format!("{}.md", self.name)), &text).unwrap();
        println!("{text}");
        assert!(!self.rows.is_empty(), "{}: nothing was tried", self.name);
        assert!(wrong.is_empty(), "{}: {} wrong:\n{}", self.name, wrong.len(), wrong.join("\n"));
    }
}

impl Row {
    fn line(&self) -> String {
        let Self { what, sent, expected, got, good } = self;
        let mark = if *good { "" } else { "**" };
        format!("| {what} | {sent} | {expected} | {mark}{got}{mark} |")
    }
}

/// On one line of a table, and not too long.
fn shown(text: &str) -> String {
    let escaped: String = text.chars().flat_map(char::escape_default).collect();
    let plain = escaped.replace("\\'", "'").replace("\\\"", "\"").replace('|', "\\|");
    match plain.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

/// `<target>/debug/deps/<test>`.
fn directory() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("security")
}
