//! The matrix as a document, and what is wrong in it as lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use contract::{EDGE, TOOLS};
use tonic::Code;

use super::Tried;
use super::expected::Way;
use super::peers::Peer;
use super::users::User;
use crate::parity::CONTRACT;

/// What is wrong with a case, if anything.
pub fn violation(tried: &Tried<'_>) -> Option<String> {
    let wrong = tried.violation.as_ref()?;
    let case = &tried.case;
    let peer = case.peer.map(|p| format!("from `{}` ", p.name)).unwrap_or_default();
    let key = if case.with_key { "" } else { " without an Idempotency-Key" };
    Some(format!(
        "{} over {:?} {peer}as `{}`{key}: expected {:?}, got {} ({wrong})",
        case.method.path,
        case.way,
        case.user.name,
        case.expected,
        shown(tried)
    ))
}

/// In one line.
pub fn counts(tried: &[Tried<'_>]) -> String {
    let methods: BTreeSet<&str> = tried.iter().map(|t| t.case.method.path.as_str()).collect();
    let mut ways = BTreeMap::new();
    for tried in tried {
        *ways.entry(tried.case.way).or_insert(0) += 1;
    }
    let over = |way| ways.get(&way).copied().unwrap_or_default();
    let violations = tried.iter().filter(|t| t.violation.is_some()).count();
    format!(
        "{} RPCs, {} cases: {} over gRPC, {} over REST, {} over mTLS; {violations} violations",
        methods.len(),
        tried.len(),
        over(Way::Grpc),
        over(Way::Rest),
        over(Way::Mesh)
    )
}

/// Writes `authorization-matrix.md` into the target directory.
pub fn write(users: &[User], peers: &[Peer], tried: &[Tried<'_>]) {
    let mut text = String::from("# Authorization matrix\n\n");
    writeln!(text, "{}.\n", counts(tried)).unwrap();
    text.push_str(
        "Every cell is an answer of the running platform. `ok` is the method's own answer, also with an error\n\
         of its own behind it; `401`, `403`, `404` are refusals; **bold** is not what the contract says.\n",
    );
    let users: Vec<&str> = users.iter().map(|u| u.name).collect();
    let names: Vec<&str> = peers.iter().map(|p| p.name.as_str()).collect();
    let through_edge = |t: &Tried<'_>| t.case.way != Way::Mesh;
    table(&mut text, "Through the edge, gRPC and REST", &users, tried, |t| {
        (through_edge(t) && t.case.with_key).then_some(t.case.user.name)
    });
    table(&mut text, "The same without an Idempotency-Key", &users, tried, |t| {
        (through_edge(t) && !t.case.with_key).then_some(t.case.user.name)
    });
    table(&mut text, "Straight to the service, as the edge and the tools", &users, tried, |t| {
        let door = t.case.peer.is_some_and(|p| [EDGE, TOOLS].contains(&p.name.as_str()));
        door.then_some(t.case.user.name)
    });
    table(&mut text, "Straight to the service, without a user / as admin", &names, tried, |t| {
        let end = ["anonymous", "admin"].contains(&t.case.user.name);
        t.case.peer.filter(|_| end).map(|p| p.name.as_str())
    });
    std::fs::write(path(), text).unwrap();
    println!("matrix: {}", path().display());
}

/// The target directory: `<target>/debug/deps/<test>`.
fn path() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(3).unwrap().join("authorization-matrix.md")
}

/// A row per method; `column` says where a case belongs.
fn table<'t>(
    text: &mut String,
    title: &str,
    columns: &[&str],
    tried: &'t [Tried<'_>],
    column: impl Fn(&'t Tried<'_>) -> Option<&'t str>,
) {
    let mut cells: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for tried in tried {
        if let Some(column) = column(tried) {
            let cell = cells.entry((&tried.case.method.path, column)).or_default();
            let mut shown = shown(tried);
            if tried.violation.is_some() {
                shown = format!("**{shown}**");
            }
            if !cell.contains(&shown) {
                cell.push(shown);
            }
        }
    }
    writeln!(text, "\n## {title}\n\n| RPC | {} |", columns.join(" | ")).unwrap();
    writeln!(text, "|---{}|", "|---".repeat(columns.len())).unwrap();
    for (_, method) in CONTRACT.methods() {
        let row = columns.iter().map(|c| cells.get(&(method.path.as_str(), *c)));
        let row: Vec<String> =
            row.map(|cell| cell.map(|c| c.join(", ")).unwrap_or_default()).collect();
        if row.iter().any(|cell| !cell.is_empty()) {
            let name = method.path.trim_start_matches("/stoa.");
            writeln!(text, "| {name} | {} |", row.join(" | ")).unwrap();
        }
    }
}

fn shown(tried: &Tried<'_>) -> String {
    let answer = &tried.answer;
    if answer.unconnected {
        return "no connection".to_owned();
    }
    let reason = &answer.reason;
    match answer.code {
        Code::Ok => "ok".to_owned(),
        Code::Unimplemented => "404".to_owned(),
        Code::NotFound if reason == "ROUTE_NOT_FOUND" => "404".to_owned(),
        Code::Unauthenticated
            if ["", "UNAUTHENTICATED", "TOKEN_INVALID", "PEER_UNKNOWN"]
                .contains(&reason.as_str()) =>
        {
            "401".to_owned()
        }
        Code::PermissionDenied => "403".to_owned(),
        Code::Internal | Code::Unknown | Code::Unavailable | Code::DeadlineExceeded => {
            format!("{:?} {reason} {}", answer.code, answer.message)
        }
        _ => format!("ok: {reason}"),
    }
}
