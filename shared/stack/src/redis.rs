//! A private Redis server.

use std::fs;
use std::time::Duration;

use anyhow::Result;

use crate::fleet::Fleet;
use crate::install::Tools;
use crate::layout::write_private;
use crate::probe::Probe;
use crate::process::{Phase, Spec};

/// Starts the server; ready when it answers an authenticated PING.
pub(crate) async fn start(fleet: Fleet, tools: Tools, port: u16) -> Result<()> {
    let dir = fleet.layout.path("redis");
    fs::create_dir_all(&dir)?;
    let password = fleet.layout.secret("redis")?;
    // In a file, not on the command line, where every user could read the password.
    let file = dir.join("redis.conf");
    let lines = [
        format!("port {port}"),
        "bind 127.0.0.1".to_owned(),
        format!("dir \"{}\"", dir.display()),
        "appendonly yes".to_owned(),
        "appendfsync everysec".to_owned(),
        format!("requirepass {password}"),
    ];
    write_private(&file, &(lines.join("\n") + "\n"))?;
    fleet.spawn(Spec::new("redis", Phase::Store, &tools.redis).args([file]))?;
    let say = format!("AUTH {password}\r\nPING\r\n").into_bytes();
    let answers = Probe::Talk { port, say, expect: b"+OK\r\n+PONG" };
    fleet.ready("redis", &answers, Duration::from_secs(30)).await
}
