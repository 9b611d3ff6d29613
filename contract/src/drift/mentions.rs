//! Which method a line of a generated file is about.

use std::collections::BTreeMap;

use heck::{ToLowerCamelCase, ToSnakeCase};
use prost_reflect::MessageDescriptor;

use crate::Contract;

/// How far above a line its method is looked for.
const REACH: usize = 1_000;

const VERBS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "PATCH"];

/// All names by which generated files call things.
pub(super) struct Mentions {
    /// Identifiers, and the methods they mean.
    words: BTreeMap<String, Vec<String>>,
    /// REST templates with verb and method.
    rest: Vec<(String, &'static str, String)>,
    /// Names of messages and their full names.
    messages: BTreeMap<String, String>,
}

impl Mentions {
    pub(super) fn of(contract: &Contract) -> Self {
        let mut words: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut rest = Vec::new();
        for (service, method) in contract.methods() {
            let path = method.path.trim_start_matches('/').to_owned();
            let plain = service.full_name.rsplit('.').next().unwrap_or_default();
            let name = method.name();
            let mut names = vec![
                path.replace(['.', '/'], "").to_lowercase(),
                format!("{plain}_{name}"),
                format!("{plain}{name}"),
            ];
            // One word, such as `Release`, may mean anything.
            if name.chars().filter(char::is_ascii_uppercase).count() > 1 {
                names.extend([name.to_owned(), name.to_snake_case(), name.to_lower_camel_case()]);
            }
            // A request belongs to its method.
            let request = method.descriptor.input();
            if request.name() == format!("{name}Request") {
                names.push(request.name().to_owned());
            }
            for name in names {
                words.entry(name).or_default().push(path.clone());
            }
            if let Some(http) = &method.http {
                rest.push((http.template.clone(), http.verb, path));
            }
        }
        let messages = contract.files().flat_map(|f| f.messages().collect::<Vec<_>>());
        let of = |m: MessageDescriptor| (m.name().to_owned(), m.full_name().to_owned());
        Self { words, rest, messages: messages.map(of).collect() }
    }

    /// What a line itself names: methods, or else messages.
    pub(super) fn on(&self, line: &str) -> Vec<String> {
        self.on_below(line, None)
    }

    /// The same below a verb that stands on a line of its own.
    fn on_below(&self, line: &str, verb: Option<&str>) -> Vec<String> {
        let own = VERBS.into_iter().find(|verb| words(line).any(|word| word == *verb));
        let mut found = self.named(line, own.or(verb));
        if found.is_empty() {
            found.extend(words(line).filter_map(|word| self.messages.get(word)).cloned());
        }
        found.dedup();
        found
    }

    /// What a line is about: what it names, or what the nearest line above names.
    pub(super) fn nearest(&self, lines: &[&str], at: usize) -> Vec<String> {
        let mut verb = None;
        for (line_number, line) in lines[..=at].iter().enumerate().rev().take(REACH) {
            // In OpenAPI the verb stands on a line of its own below the path.
            let key = line.trim().trim_end_matches(':');
            verb = verb.or(VERBS.into_iter().find(|v| v.to_lowercase() == key));
            let mut found = self.on_below(line, verb);
            // Above, a message may be named as the type of another's field.
            if line_number < at && !defines(line) && self.named(line, verb).is_empty() {
                found.clear();
            }
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// Methods by their path, their REST path or their name.
    fn named(&self, line: &str, verb: Option<&str>) -> Vec<String> {
        let mut found: Vec<String> = paths(line)
            .filter_map(|path| self.words.get(&path.replace(['.', '/'], "").to_lowercase()))
            .flatten()
            .cloned()
            .collect();
        if found.is_empty() {
            found.extend(words(line).filter_map(|word| self.words.get(word)).flatten().cloned());
        }
        if found.is_empty() {
            let of = |(template, v, path): &(String, &str, String)| {
                let here = contains_template(line, template) && verb.is_none_or(|verb| verb == *v);
                here.then(|| path.clone())
            };
            found.extend(self.rest.iter().filter_map(of));
        }
        found.dedup();
        found
    }
}

/// What looks like `stoa.orders.v1.OrderService/PlaceOrder`.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/');
    line.split(move |c: char| !is_part(c))
        .map(|part| part.trim_matches(['/', '.']))
        .filter(|part| part.starts_with("stoa.") && part.contains('/'))
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// Whether a line begins a message: in Rust, in TypeScript, as a heading, as a key.
fn defines(line: &str) -> bool {
    const BEGINNINGS: [&str; 6] = ["pub struct ", "impl ", "export ", "fn ", "pub fn ", "#"];
    let line = line.trim();
    line.ends_with(':') || BEGINNINGS.iter().any(|b| line.starts_with(b)) && !line.starts_with("#[")
}

/// The template itself, not one that it begins.
fn contains_template(line: &str, template: &str) -> bool {
    line.match_indices(template).any(|(at, _)| {
        let rest = &line[at + template.len()..];
        let mut next = rest.chars();
        match next.next() {
            Some('/' | '{') => false,
            // `:cancel` goes on, the colon of a YAML key does not.
            Some(':') => !next.next().is_some_and(char::is_alphanumeric),
            Some(c) => !c.is_alphanumeric(),
            None => true,
        }
    })
}
