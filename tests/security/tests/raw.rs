//! HTTP/1.1 byte by byte, as no client library would send it.

use std::time::Duration;

use e2e::platform::Platform;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Nothing more comes after this long a silence. Longer than the second that the edge waits
/// before it hangs up on whom it has refused, so that the refusal is read.
const SILENCE: Duration = Duration::from_millis(3_000);

/// What the edge said to some bytes.
pub struct Reply {
    pub text: String,
    /// The edge hung up.
    pub closed: bool,
}

impl Reply {
    /// The status of every answer.
    pub fn statuses(&self) -> Vec<u16> {
        let lines = self.text.split("HTTP/1.1 ").skip(1);
        lines.filter_map(|line| line.get(..3)?.parse().ok()).collect()
    }

    /// The status in the headers of gRPC, empty where there is none.
    pub fn grpc_status(&self) -> &str {
        let after = self.text.split_once("grpc-status: ").map(|(_, rest)| rest);
        after.and_then(|rest| rest.split("\r\n").next()).unwrap_or_default()
    }

    /// The stable reason in the last answer.
    pub fn reason(&self) -> &str {
        let after = self.text.rsplit("\"reason\":\"").next().filter(|s| s.len() < self.text.len());
        after.and_then(|rest| rest.split('"').next()).unwrap_or_default()
    }
}

/// A connection to the edge's plain port.
pub async fn connect(platform: &Platform) -> TcpStream {
    let port = platform.stack.options().ports.edge;
    TcpStream::connect(("127.0.0.1", port)).await.expect("the edge listens")
}

/// Sends and reads until the edge hangs up or is silent.
pub async fn send(platform: &Platform, bytes: &[u8]) -> Reply {
    let mut stream = connect(platform).await;
    // An edge that hangs up early is an answer, too.
    let _ = stream.write_all(bytes).await;
    read(&mut stream, SILENCE).await
}

/// Reads until the other side hangs up or is silent for that long.
pub async fn read(stream: &mut TcpStream, silence: Duration) -> Reply {
    let (mut bytes, mut closed) = (Vec::new(), false);
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read) = timeout(silence, stream.read(&mut buffer)).await {
        match read {
            Ok(0) | Err(_) => {
                closed = true;
                break;
            }
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
    Reply { text: String::from_utf8_lossy(&bytes).into_owned(), closed }
}
