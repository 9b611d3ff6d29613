//! The review as Markdown.

use std::fmt::Write;

use super::{Change, Effect, Review};

impl Review {
    /// The pack for the reviewer: `breaking` is what buf said, a line each.
    pub fn to_markdown(&self, base: &str, breaking: &[String]) -> String {
        let mut text = format!("# Contract review against {base}\n\n{}\n", self.tally(breaking));
        text.push_str("\n## On the wire (`buf breaking`)\n\n");
        if breaking.is_empty() {
            text.push_str("Nothing breaks.\n");
        }
        for line in breaking {
            let _ = writeln!(text, "- {line}");
        }
        text.push_str("\n## What the contract says\n");
        if self.changes.is_empty() {
            text.push_str("\nNothing differs.\n");
        }
        for section in sections(&self.changes) {
            let _ = write!(text, "\n### {section}\n\n{HEAD}");
            for change in self.changes.iter().filter(|c| c.section == section) {
                text.push_str(&row(change));
            }
        }
        text.push_str(&self.generated());
        text
    }

    fn generated(&self) -> String {
        let places = match &self.places {
            Ok(places) => places,
            Err(error) => return format!("\n## Generated places\n\nNot to be known: {error}\n"),
        };
        let mut text = format!("\n## Generated places ({} files)\n\n", places.len());
        for place in places {
            let path = place.path.display();
            let _ = match place.lines {
                Some((added, removed)) => writeln!(text, "- `{path}` +{added} −{removed}"),
                None => writeln!(text, "- `{path}` (binary)"),
            };
        }
        text
    }

    fn tally(&self, breaking: &[String]) -> String {
        let count = |kinds: fn(&Effect) -> bool| {
            self.changes.iter().filter(|change| kinds(&change.effect)).count()
        };
        format!(
            "{} on the wire and {} in the law break somebody; {} tightened, {} loosened, {} added, \
             {} changed.",
            breaking.len(),
            count(|e| matches!(e, Effect::Breaks(_))),
            count(|e| *e == Effect::Tightened),
            count(|e| *e == Effect::Loosened),
            count(|e| *e == Effect::Added),
            count(|e| *e == Effect::Changed),
        )
    }
}

const HEAD: &str = "| element | what | before | after | effect |\n|---|---|---|---|---|\n";

/// In the order of their first change.
fn sections(changes: &[Change]) -> Vec<&str> {
    let mut sections: Vec<&str> = Vec::new();
    for change in changes {
        if !sections.contains(&change.section.as_str()) {
            sections.push(&change.section);
        }
    }
    sections
}

fn row(change: &Change) -> String {
    let Change { section, element, what, before, after, effect, note } = change;
    // A method needs no service's name below the service's heading.
    let short = element.strip_prefix(section.as_str()).and_then(|rest| rest.strip_prefix('/'));
    let effect = match effect {
        Effect::Breaks(rule) => format!("**breaking** {rule}"),
        Effect::BreaksWire => "**breaking** (buf)".to_owned(),
        Effect::Tightened => "tightened".to_owned(),
        Effect::Loosened => "loosened".to_owned(),
        Effect::Added => "added".to_owned(),
        Effect::Changed => "changed".to_owned(),
    };
    let note = if note.is_empty() { String::new() } else { format!("; {note}") };
    let cells = [short.unwrap_or(element), what, before, after].map(cell);
    format!("| {} | {effect}{} |\n", cells.join(" | "), note.replace('|', "\\|"))
}

fn cell(text: &str) -> String {
    if text.is_empty() { "–".to_owned() } else { text.replace('|', "\\|") }
}
