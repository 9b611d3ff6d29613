//! Requests whose end is a matter of opinion: the edge must see one request or none,
//! never a second one inside.

use e2e::platform::Platform;
use futures::future::join_all;

use crate::arena::attack;
use crate::raw::{Reply, send};
use crate::table::Table;

/// What a smuggler hides in a body: it would be answered 404 with a reason of its own.
const HIDDEN: &str = "GET /v1/smuggled HTTP/1.1\r\nhost: a\r\n\r\n";

/// A request that is answered with one of these statuses, once, and then no more.
struct Probe {
    what: &'static str,
    request: String,
    statuses: &'static [u16],
}

const REFUSED: &[u16] = &[400];
const UNKNOWN: &[u16] = &[400, 501];
/// Refused as HTTP of another age: a line without a version is HTTP/0.9.
const OTHER_VERSION: &[u16] = &[400, 426];
/// Not refused, but read by everybody in the same way.
const UNDERSTOOD: &[u16] = &[200, 400];

fn probe(what: &'static str, request: impl Into<String>, statuses: &'static [u16]) -> Probe {
    Probe { what, request: request.into(), statuses }
}

/// A write with these headers and this body.
fn post(headers: &str, body: &str) -> String {
    format!(
        "POST /v1/auth/logout HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
         {headers}\r\n{body}"
    )
}

fn lengths() -> Vec<Probe> {
    let chunked = format!("0\r\n\r\n{HIDDEN}");
    let with_chunks = |te: &str| post(&format!("content-length: 4\r\n{te}\r\n"), &chunked);
    let length = |value: &str| post(&format!("content-length: {value}\r\n"), HIDDEN);
    vec![
        probe("length and chunks", with_chunks("transfer-encoding: chunked"), REFUSED),
        probe(
            "chunks and length",
            post(
                &format!("transfer-encoding: chunked\r\ncontent-length: {}\r\n", chunked.len()),
                &chunked,
            ),
            REFUSED,
        ),
        probe("two lengths", post("content-length: 0\r\ncontent-length: 44\r\n", HIDDEN), REFUSED),
        probe("two lengths in one", length("0, 44"), REFUSED),
        probe("a length with a sign", length("+0"), REFUSED),
        probe("a length below nothing", length("-1"), REFUSED),
        probe("a length in hexadecimal", length("0x0"), REFUSED),
        probe("a length with letters", length("0a"), REFUSED),
        probe("a length beyond 64 bits", length("99999999999999999999999"), REFUSED),
        probe("an empty length", length(""), REFUSED),
        probe("a space before the colon", post("content-length : 0\r\n", HIDDEN), REFUSED),
    ]
}

fn codings() -> Vec<Probe> {
    let chunked = format!("0\r\n\r\n{HIDDEN}");
    let coding = |te: &str| post(&format!("content-length: 4\r\n{te}\r\n"), &chunked);
    vec![
        probe("an unknown coding", coding("transfer-encoding: xchunked"), UNKNOWN),
        probe("chunked, then identity", coding("transfer-encoding: chunked, identity"), UNKNOWN),
        probe("identity, then chunked", coding("transfer-encoding: identity, chunked"), UNKNOWN),
        probe("gzip, then chunked", coding("transfer-encoding: gzip, chunked"), UNKNOWN),
        probe(
            "the coding twice",
            coding("transfer-encoding: chunked\r\ntransfer-encoding: identity"),
            UNKNOWN,
        ),
        probe("a coding in upper case", coding("Transfer-Encoding: CHUNKED"), UNKNOWN),
        probe("a coding behind a tab", coding("transfer-encoding:\tchunked"), UNKNOWN),
        probe("a coding before a vertical tab", coding("transfer-encoding: chunked\u{b}"), UNKNOWN),
        probe("a coding in quotes", coding("transfer-encoding: \"chunked\""), UNKNOWN),
        probe("a space before the colon", coding("transfer-encoding : chunked"), REFUSED),
        probe(
            "a name that is folded",
            post("content-length: 2\r\nx: y\r\n transfer-encoding: chunked\r\n", "{}"),
            REFUSED,
        ),
        probe("a name with an underscore", coding("transfer_encoding: chunked"), REFUSED),
        probe(
            "hidden behind a lone line feed",
            coding("x: y\ntransfer-encoding: chunked"),
            REFUSED,
        ),
        probe(
            "hidden behind a lone carriage return",
            coding("x: y\rtransfer-encoding: chunked"),
            REFUSED,
        ),
    ]
}

/// Codings that nobody here knows, and no length beside them.
fn unknown_codings() -> Vec<Probe> {
    let coding = |te: &str| post(&format!("transfer-encoding: {te}\r\n"), HIDDEN);
    vec![
        probe("an unknown coding alone", coding("xchunked"), UNKNOWN),
        probe("gzip alone", coding("gzip"), UNKNOWN),
        probe("gzip, then chunked, alone", coding("gzip, chunked"), UNKNOWN),
        probe("chunked twice", coding("chunked, chunked"), UNKNOWN),
        probe("chunked, then identity, alone", coding("chunked, identity"), UNKNOWN),
        probe("chunked with a parameter", coding("chunked;q=1"), UNKNOWN),
        probe("an empty coding", coding(""), UNKNOWN),
    ]
}

fn chunks() -> Vec<Probe> {
    let chunked = |body: &str| post("transfer-encoding: chunked\r\n", body);
    vec![
        probe("a chunk below nothing", chunked("-1\r\n\r\n"), REFUSED),
        probe("a chunk beyond 64 bits", chunked("fffffffffffffffff\r\nx\r\n0\r\n\r\n"), REFUSED),
        probe("a chunk of no size", chunked("\r\n\r\n"), REFUSED),
        probe("a chunk of letters", chunked("zz\r\n\r\n"), REFUSED),
        probe("a chunk in hexadecimal twice", chunked("0x2\r\n{}\r\n0\r\n\r\n"), REFUSED),
        probe(
            "a chunk longer than it says",
            chunked(&format!("2\r\n{{}}{HIDDEN}\r\n0\r\n\r\n")),
            REFUSED,
        ),
        probe(
            "a line feed in an extension",
            chunked(&format!("2;\n{{}}\r\n0\r\n\r\n{HIDDEN}")),
            REFUSED,
        ),
    ]
}

fn lines() -> Vec<Probe> {
    let get = |rest: &str| format!("GET /v1/categories HTTP/1.1\r\n{rest}\r\n\r\n");
    vec![
        probe("no host", get("x: y"), REFUSED),
        probe("two hosts", get("host: a\r\nhost: b"), REFUSED),
        probe("NUL in a value", get("host: a\r\nx: y\0z"), REFUSED),
        probe("NUL in a name", get("host: a\r\nx\0y: z"), REFUSED),
        probe("a space in a name", get("host: a\r\nx y: z"), REFUSED),
        probe("no name", get("host: a\r\n: z"), REFUSED),
        probe("no colon", get("host: a\r\nx"), REFUSED),
        probe("a space before all headers", get(" host: a"), REFUSED),
        probe("lone line feeds", "GET /v1/categories HTTP/1.1\nhost: a\n\n", UNDERSTOOD),
        probe("two spaces", "GET  /v1/categories HTTP/1.1\r\nhost: a\r\n\r\n", UNDERSTOOD),
        probe(
            "a line feed in the path",
            "GET /v1/cat\negories HTTP/1.1\r\nhost: a\r\n\r\n",
            OTHER_VERSION,
        ),
        probe("HTTP/1.0", "GET /v1/categories HTTP/1.0\r\nhost: a\r\n\r\n", OTHER_VERSION),
        probe("HTTP/0.9", "GET /v1/categories\r\n\r\n", OTHER_VERSION),
        probe("HTTP/9.9", "GET /v1/categories HTTP/9.9\r\nhost: a\r\n\r\n", OTHER_VERSION),
        probe("no method", " /v1/categories HTTP/1.1\r\nhost: a\r\n\r\n", REFUSED),
        probe(
            "a tunnel",
            "CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: 127.0.0.1:22\r\n\r\n",
            &[400, 403, 404],
        ),
        probe("TRACE", "TRACE /v1/categories HTTP/1.1\r\nhost: a\r\n\r\n", &[400, 403, 404, 405]),
        probe(
            "another method",
            "STEAL /v1/categories HTTP/1.1\r\nhost: a\r\n\r\n",
            &[400, 403, 404, 405],
        ),
        probe(
            "an upgrade to a web socket",
            get("host: a\r\nconnection: upgrade\r\nupgrade: websocket"),
            &[400, 403, 404],
        ),
        probe(
            "an upgrade to HTTP/2",
            get(
                "host: a\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__",
            ),
            &[200, 400, 403],
        ),
    ]
}

#[test]
fn no_request_is_smuggled_inside_another() {
    attack(async |platform| {
        let mut table = Table::new("smuggling");
        let two = "GET /v1/categories HTTP/1.1\r\nhost: a\r\n\r\n".repeat(2);
        let honest = send(platform, two.as_bytes()).await.statuses();
        table.same("two requests in a row, honestly", &two, vec![200, 200], honest);
        let probes: Vec<Probe> = [lengths(), codings(), unknown_codings(), chunks(), lines()]
            .into_iter()
            .flatten()
            .collect();
        let replies = join_all(probes.iter().map(|probe| tried(platform, probe))).await;
        for (probe, reply) in probes.iter().zip(replies) {
            let got = reply.statuses();
            let once = got.len() == 1 && probe.statuses.contains(&got[0]);
            // Whoever refuses to read on must also hang up: what follows is no request.
            let over = reply.closed || got == [200] || !probe.request.contains("smuggled");
            let shown = format!("{got:?} {}, closed: {}", reply.reason(), reply.closed);
            let expected = format!("once one of {:?}", probe.statuses);
            table.row(probe.what, &probe.request, &expected, &shown, once && over);
        }
        let log = std::fs::read_to_string(platform.stack.log_of("access")).unwrap();
        table.same("requests that were smuggled", HIDDEN, false, log.contains("/v1/smuggled"));
        table.end();
    });
}

async fn tried(platform: &Platform, probe: &Probe) -> Reply {
    send(platform, probe.request.as_bytes()).await
}
