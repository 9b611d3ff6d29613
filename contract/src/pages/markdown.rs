//! Markdown, as GitHub reads it.

use crate::model::{Method, Policy};

/// A table; nothing without rows.
pub(super) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rows: String = rows
        .into_iter()
        .map(|row| line(&row.iter().map(|c| cell(c)).collect::<Vec<_>>()))
        .collect();
    if rows.is_empty() {
        return rows;
    }
    let header: Vec<String> = header.iter().map(ToString::to_string).collect();
    format!("{}|{}\n{rows}\n", line(&header), "---|".repeat(header.len()))
}

/// Text that stays in its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace("\n\n", "<br><br>").replace('\n', " ")
}

pub(super) fn code(text: &str) -> String {
    format!("`{text}`")
}

/// Every one in code, separated by commas; a dash for none.
pub(super) fn list<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    let items: Vec<String> = items.into_iter().map(|i| code(i.as_ref())).collect();
    if items.is_empty() { "–".to_owned() } else { items.join(", ") }
}

/// A diagram.
pub(super) fn mermaid(lines: &[String]) -> String {
    format!(
        "```mermaid\nflowchart LR\n{}```\n\n",
        lines.iter().fold(String::new(), |text, line| { text + "  " + line + "\n" })
    )
}

/// A link to a method's section on the page of methods.
pub(super) fn method_link(page: &str, method: &Method) -> String {
    format!("[`{}`]({page}#{})", method.name(), anchor(&method.path))
}

/// What GitHub makes of a heading.
pub(super) fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Which users may call.
pub(super) fn users(policy: &Policy) -> String {
    match &policy.access {
        a if a.public.is_some() => "anybody".to_owned(),
        a if a.signed_in.is_some() => "signed-in users".to_owned(),
        a if a.internal.is_some() => "no user".to_owned(),
        a => format!("`{}`", a.permission.as_deref().unwrap_or_default()),
    }
}
