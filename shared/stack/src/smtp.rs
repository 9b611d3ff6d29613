//! An SMTP server that keeps every mail in a Maildir.

use std::time::Duration;

use anyhow::Result;

use crate::fleet::Fleet;
use crate::install::PythonTools;
use crate::probe::Probe;
use crate::process::{Phase, Spec};

/// Starts the server; ready when it greets.
pub(crate) async fn start(fleet: Fleet, tools: PythonTools, port: u16) -> Result<()> {
    fleet.spawn(
        Spec::new("smtp", Phase::Store, &tools.python)
            .args(["-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}")])
            .args(["-c", "aiosmtpd.handlers.Mailbox"])
            .args([fleet.layout.path("mail")]),
    )?;
    let greets = Probe::Talk { port, say: Vec::new(), expect: b"220", tls: None };
    fleet.ready("smtp", &greets, Duration::from_secs(30)).await
}
