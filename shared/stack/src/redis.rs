//! A private Redis server.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::fleet::Fleet;
use crate::install::Tools;
use crate::layout::write_private;
use crate::probe::Probe;
use crate::process::{Phase, Spec};
use crate::store_tls::StoreTls;

/// Starts the server; ready when it answers an authenticated PING.
pub(crate) async fn start(
    fleet: Fleet,
    tools: Tools,
    port: u16,
    tls: Option<StoreTls>,
) -> Result<()> {
    let dir = fleet.layout.path("redis");
    fs::create_dir_all(&dir)?;
    let password = fleet.layout.secret("redis")?;
    // In a file, not on the command line, where every user could read the password.
    let file = dir.join("redis.conf");
    let mut lines = listener(&dir, port, tls.as_ref())?;
    lines.extend([
        "bind 127.0.0.1".to_owned(),
        format!("dir \"{}\"", dir.display()),
        "appendonly yes".to_owned(),
        "appendfsync everysec".to_owned(),
        format!("requirepass {password}"),
    ]);
    write_private(&file, &(lines.join("\n") + "\n"))?;
    fleet.spawn(Spec::new("redis", Phase::Store, &tools.redis).args([file]))?;
    let say = format!("AUTH {password}\r\nPING\r\n").into_bytes();
    let answers = Probe::Talk { port, say, expect: b"+OK\r\n+PONG", tls };
    fleet.ready("redis", &answers, Duration::from_secs(30)).await
}

/// Where it listens; with TLS there is no other way in.
fn listener(dir: &Path, port: u16, tls: Option<&StoreTls>) -> Result<Vec<String>> {
    let Some(tls) = tls else { return Ok(vec![format!("port {port}")]) };
    let files = tls.write(dir)?;
    Ok(vec![
        "port 0".to_owned(),
        format!("tls-port {port}"),
        format!("tls-cert-file \"{}\"", files.certificate.display()),
        format!("tls-key-file \"{}\"", files.key.display()),
        "tls-auth-clients no".to_owned(),
        // Nobody of whom certificates are asked; the server wants to be told all the same.
        format!("tls-ca-cert-file \"{}\"", tls.authority.display()),
        "tls-protocols \"TLSv1.2 TLSv1.3\"".to_owned(),
    ])
}
