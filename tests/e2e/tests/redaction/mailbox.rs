//! A mail server that repeats what it is told in its refusals, as real ones do.

use std::path::PathBuf;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

/// Addresses with this in them do not exist here.
pub const NOBODY: &str = "nobody";

/// Listens until the runtime ends, and keeps what it takes in a directory; answers its
/// URL.
pub async fn start(dir: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream, dir.clone()));
        }
    });
    url
}

async fn talk(stream: TcpStream, dir: PathBuf) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 here\r\n").await?;
    let (mut line, mut in_data, mut mail) = (String::new(), false, String::new());
    while stream.read_line(&mut line).await? > 0 {
        let said = std::mem::take(&mut line);
        let answer = match said.get(..4).unwrap_or_default().to_uppercase().as_str() {
            _ if in_data && said.trim_end() != "." => {
                mail.push_str(&said);
                continue;
            }
            _ if in_data => {
                std::fs::create_dir_all(&dir)?;
                std::fs::write(dir.join(Uuid::now_v7().to_string()), std::mem::take(&mut mail))?;
                "250 taken\r\n".to_owned()
            }
            "EHLO" => "250 here\r\n".to_owned(),
            "RCPT" if said.contains(NOBODY) => format!("550 5.1.1 unknown: {said}"),
            "DATA" => "354 go on\r\n".to_owned(),
            _ => "250 ok\r\n".to_owned(),
        };
        in_data = answer.starts_with("354");
        stream.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}
