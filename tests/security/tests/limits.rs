//! Clients that hold on to what others need: by being slow, by asking for too much at
//! once, and by giving up what they asked for.

use std::time::{Duration, Instant};

use bytes::Bytes;
use e2e::platform::{Platform, eventually};
use futures::future::join_all;
use h2::Reason;
use h2::client::{self, SendRequest};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::arena::{attack, attack_slowly};
use crate::raw;
use crate::table::Table;

/// The edge's limits, from `contract/src/envoy`.
const HEADERS_WITHIN: Duration = Duration::from_secs(5);
const REQUEST_WITHIN: Duration = Duration::from_secs(30);
const STREAMS: usize = 100;
const RESETS: usize = 500;

/// How late the edge may be on a busy machine.
const GRACE: Duration = Duration::from_secs(6);

#[test]
fn headers_beyond_the_limits_are_refused() {
    attack(async |platform| {
        let mut table = Table::new("large-headers");
        let get = |rest: &str| format!("GET /v1/categories HTTP/1.1\r\nhost: a\r\n{rest}\r\n");
        let many: String = (0..150).map(|n| format!("x-{n}: y\r\n")).collect();
        let few: String = (0..50).map(|n| format!("x-{n}: y\r\n")).collect();
        let large = "x".repeat(33 * 1024);
        let cases = [
            ("50 headers", get(&few), 200),
            ("150 headers", get(&many), 431),
            ("a header of 33 KiB", get(&format!("x: {large}\r\n")), 431),
            ("a name of 33 KiB", get(&format!("{large}: x\r\n")), 431),
            ("a path of 33 KiB", format!("GET /{large} HTTP/1.1\r\nhost: a\r\n\r\n"), 431),
            ("a cookie of 33 KiB", get(&format!("cookie: {large}\r\n")), 431),
        ];
        let asked = cases.iter().map(|(_, request, _)| raw::send(platform, request.as_bytes()));
        for ((what, request, status), reply) in cases.iter().zip(join_all(asked).await) {
            table.same(what, request, vec![*status], reply.statuses());
        }
        table.end();
    });
}

#[test]
fn who_sends_headers_or_a_body_slowly_is_let_go() {
    attack_slowly(async |platform| {
        let mut table = Table::new("slow-senders");
        let head = "POST /v1/auth/login HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
        let body = format!("{head}content-length: 1000\r\n\r\n");
        let chunks = format!("{head}transfer-encoding: chunked\r\n\r\n");
        let (headers, body, chunks) = tokio::join!(
            drip(platform, head, "x-slow: y\r\n", HEADERS_WITHIN),
            drip(platform, &body, " ", REQUEST_WITHIN),
            drip(platform, &chunks, "1\r\n \r\n", REQUEST_WITHIN),
        );
        for (what, within, took) in [
            ("one header a time", HEADERS_WITHIN, headers),
            ("one byte of a body a time", REQUEST_WITHIN, body),
            ("one chunk a time", REQUEST_WITHIN, chunks),
        ] {
            let good = took.is_some_and(|took| took < within + GRACE);
            let expected = format!("let go after {} s", within.as_secs());
            table.row(what, "every half a second", &expected, &format!("{took:.1?}"), good);
        }
        table.end();
    });
}

/// Sends a beginning, then a little again and again; how long the edge bears it.
async fn drip(platform: &Platform, start: &str, drop: &str, within: Duration) -> Option<Duration> {
    let began = Instant::now();
    let mut stream = raw::connect(platform).await;
    stream.write_all(start.as_bytes()).await.unwrap();
    while began.elapsed() < within + GRACE {
        let reply = raw::read(&mut stream, Duration::from_millis(500)).await;
        // An answer is an end, too: what follows is not read.
        if reply.closed || !reply.statuses().is_empty() {
            return Some(began.elapsed());
        }
        if stream.write_all(drop.as_bytes()).await.is_err() {
            return Some(began.elapsed());
        }
    }
    None
}

type Sender = SendRequest<Bytes>;
type Driver = tokio::task::JoinHandle<Result<(), h2::Error>>;

async fn http2(platform: &Platform) -> (Sender, Driver) {
    let port = platform.stack.options().ports.edge;
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (sender, connection) =
        client::Builder::new().initial_max_send_streams(1_000).handshake(stream).await.unwrap();
    (sender, tokio::spawn(connection))
}

/// A login whose body does not come: it waits at the edge and calls nobody.
fn begin(
    sender: &mut Sender,
) -> Result<(client::ResponseFuture, h2::SendStream<Bytes>), h2::Error> {
    let request = http::Request::post("http://edge/v1/auth/login");
    let request = request.header("content-type", "application/json").body(()).unwrap();
    sender.send_request(request, false)
}

#[test]
fn one_connection_has_a_hundred_streams_and_no_more() {
    attack(async |platform| {
        let mut table = Table::new("concurrent-streams");
        let (sender, driver) = http2(platform).await;
        let sender = sender.ready().await.unwrap();
        eventually("the edge's settings", async || {
            (sender.current_max_send_streams() == STREAMS).then_some(())
        })
        .await;
        let told = sender.current_max_send_streams();
        table.same("SETTINGS_MAX_CONCURRENT_STREAMS", "a connection", STREAMS, told);
        driver.abort();
        table.end();
    });
}

/// CVE-2023-44487.
#[test]
fn rapid_reset_ends_the_connection_and_nothing_else() {
    attack(async |platform| {
        let mut table = Table::new("rapid-reset");
        let before = disconnects(platform).await;
        let (mut sender, driver) = http2(platform).await;
        let mut given_up = 0;
        for _ in 0..RESETS * 4 {
            let Ok(ready) = timeout(GRACE, sender.clone().ready()).await.expect("no stall") else {
                break;
            };
            sender = ready;
            let Ok((_, mut body)) = begin(&mut sender) else { break };
            body.send_reset(Reason::CANCEL);
            given_up += 1;
        }
        let ended = timeout(GRACE, driver).await.is_ok();
        table.same("the connection is closed", &format!("{given_up} resets"), true, ended);
        let after = disconnects(platform).await;
        table.same("and counted", "downstream_rq_too_many_premature_resets", true, after > before);
        let (mut other, _driver) = http2(platform).await;
        let request = http::Request::get("http://edge/v1/categories").body(()).unwrap();
        let (answer, _) = other.send_request(request, true).unwrap();
        table.same(
            "another connection",
            "GET /v1/categories",
            200,
            answer.await.unwrap().status().as_u16(),
        );
        table.end();
    });
}

async fn disconnects(platform: &Platform) -> u64 {
    let name = "downstream_rq_too_many_premature_resets";
    let url = format!("{}/stats?filter=http.edge.{name}", platform.stack.edge_admin_url());
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    text.trim().rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or_default()
}

/// CVE-2024-27919 and its like: headers that never end, table sizes, empty frames.
#[test]
fn a_flood_of_frames_ends_the_connection_and_nothing_else() {
    attack(async |platform| {
        let mut table = Table::new("frame-floods");
        let tried = floods().into_iter().map(async |(what, first, frame, count)| {
            let mut stream = raw::connect(platform).await;
            stream.write_all(PREFACE).await.unwrap();
            stream.write_all(&first).await.unwrap();
            (what, count, flood(&mut stream, &frame, count).await)
        });
        for (what, count, ended) in join_all(tried).await {
            table.same(what, &format!("{count} frames"), true, ended);
        }
        table.end();
    });
}

/// How HTTP/2 begins (RFC 9113, section 3.4), with settings that say nothing.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = length[1..].iter().copied().chain([kind, flags]).chain(stream.to_be_bytes());
    head.chain(payload.iter().copied()).collect()
}

/// What comes first, what comes again and again, and how often.
fn floods() -> Vec<(&'static str, Vec<u8>, Vec<u8>, usize)> {
    // `:method: POST`, `:scheme: http`, `:path: /` by the static table (RFC 7541).
    let headers = frame(1, 0, 1, &[0x83, 0x86, 0x84]);
    let literal: Vec<u8> = [0, 1, b'x', 127, 0x81, 7].into_iter().chain([b'y'; 1_024]).collect();
    vec![
        ("headers that never end", frame(9, 0, 1, &literal), 2_000),
        ("settings", frame(4, 0, 0, &[]), 200_000),
        ("pings", frame(6, 0, 0, &[0; 8]), 200_000),
        ("priorities", frame(2, 0, 1, &[0, 0, 0, 0, 7]), 200_000),
        ("windows of nothing", frame(8, 0, 0, &[0; 4]), 10),
        ("a frame that is too large", frame(0, 0, 1, &vec![0; 20_000]), 10),
    ]
    .into_iter()
    .map(|(what, flooding, count)| {
        let first = if what.starts_with("headers") { headers.clone() } else { Vec::new() };
        (what, first, flooding, count)
    })
    .collect()
}

/// Whether the edge hangs up on it.
async fn flood(stream: &mut TcpStream, frame: &[u8], count: usize) -> bool {
    let batch = frame.repeat(count.min(100));
    for _ in 0..count.div_ceil(100) {
        match timeout(GRACE, stream.write_all(&batch)).await {
            // The edge reads no more, for nobody takes its answers: it holds little and
            // lets go in its own time.
            Err(_) => break,
            Ok(Err(_)) => return true,
            Ok(Ok(())) => {}
        }
    }
    raw::read(stream, GRACE).await.closed
}
