//! Spans as text: who is inside whom.

use std::collections::BTreeSet;

use crate::collector::Span;

/// What a service asks for when it is due, in whoever's request that happens to be.
const ITS_OWN: [&str; 2] = ["IdentityService/GetJwks", "IdentityService/ListRevocations"];

/// One line a span, the inner ones further to the right, siblings in the order of the
/// alphabet. Statements are left out: how many there are is nobody's promise.
pub fn tree(spans: &[Span]) -> String {
    let statement = |span: &Span| span.attribute("db.system.name") == Some("postgresql");
    let its_own = |span: &Span| ITS_OWN.iter().any(|name| span.name.ends_with(name));
    let told: Vec<&Span> = spans.iter().filter(|s| !statement(s) && !its_own(s)).collect();
    let known: BTreeSet<&str> = told.iter().map(|span| span.id.as_str()).collect();
    let roots = told.iter().filter(|span| !known.contains(span.parent.as_str()));
    let mut branches: Vec<String> = roots.map(|root| branch(root, &told, 0)).collect();
    branches.sort();
    branches.concat()
}

fn branch(span: &Span, all: &[&Span], depth: usize) -> String {
    let Span { service, kind, name, .. } = span;
    let inner = all.iter().filter(|inner| inner.parent == span.id);
    let mut branches: Vec<String> = inner.map(|inner| branch(inner, all, depth + 1)).collect();
    branches.sort();
    format!("{}{service}: {kind} {name}\n{}", "  ".repeat(depth), branches.concat())
}
