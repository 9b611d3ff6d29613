//! Ways to ask whether a process is ready.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::store_tls::StoreTls;

/// How long one question may take.
const LIMIT: Duration = Duration::from_secs(2);

/// A question that a ready process answers well.
pub(crate) enum Probe {
    /// This address answers 200.
    Http(reqwest::Client, String),
    /// This address answers 200 with a text that passes the test.
    HttpText(reqwest::Client, String, fn(&str) -> bool),
    /// A connection to this port, told `say`, begins its answer with `expect`.
    Talk { port: u16, say: Vec<u8>, expect: &'static [u8], tls: Option<StoreTls> },
    /// A command exits with 0.
    Command(PathBuf, Vec<OsString>),
}

impl Probe {
    pub(crate) async fn holds(&self) -> bool {
        matches!(tokio::time::timeout(LIMIT, self.ask()).await, Ok(Ok(true)))
    }

    async fn ask(&self) -> Result<bool> {
        match self {
            Self::Http(client, url) => {
                Ok(client.get(url).send().await?.status() == reqwest::StatusCode::OK)
            }
            Self::HttpText(client, url, test) => {
                let answer = client.get(url).send().await?.error_for_status()?;
                Ok(test(&answer.text().await?))
            }
            Self::Talk { port, say, expect, tls } => {
                let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).await?;
                match tls {
                    Some(tls) => talk(tls.connect(connection).await?, say, expect).await,
                    None => talk(connection, say, expect).await,
                }
            }
            Self::Command(program, args) => {
                let mut command = tokio::process::Command::new(program);
                command.args(args).stdin(Stdio::null()).stdout(Stdio::null());
                Ok(command.stderr(Stdio::null()).kill_on_drop(true).status().await?.success())
            }
        }
    }
}

async fn talk(
    mut connection: impl AsyncRead + AsyncWrite + Unpin,
    say: &[u8],
    expect: &[u8],
) -> Result<bool> {
    connection.write_all(say).await?;
    let mut answer = vec![0; expect.len()];
    connection.read_exact(&mut answer).await?;
    Ok(answer == expect)
}

/// A client for this machine: no proxy, no waiting for ever.
pub(crate) fn client() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?)
}
