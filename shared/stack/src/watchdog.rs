//! Ends the processes of a stack whose owner died without stopping them.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use anyhow::Result;

use crate::layout::Layout;

/// Reads its standard input, a pipe that only the owner holds: the pipe closes
/// however the owner ends, SIGKILL included. A line means an orderly stop.
const SCRIPT: &str = r#"
read -r _ && exit 0
same() { [ "$(sed 's/^.*) [^ZX] //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f19)" = "$2" ]; }
list=$(cat "$1"/*.pid 2>/dev/null)
each() { echo "$list" | while read -r pid started signal phase; do
    [ "$phase" != 0 ] && same "$pid" "$started" && "$@"; done; }
ask() { kill -s "$signal" "$pid"; }
end() { kill -s KILL -- "-$pid"; }
each ask
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -z "$(each echo alive)" ] && break
    sleep 1
done
each end
rm -f "$1"/*.pid
"#;

/// A guard; dropping it without [`Watchdog::dismiss`] sets it off.
pub(crate) struct Watchdog {
    child: Child,
}

impl Watchdog {
    pub(crate) fn start(layout: &Layout) -> Result<Self> {
        let child = Command::new("sh")
            .args(["-c", SCRIPT, "watchdog"])
            .arg(layout.path("run"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own: a Ctrl-C in the terminal must not reach it.
            .process_group(0)
            .spawn()?;
        Ok(Self { child })
    }

    /// Ends the guard without harm to the processes.
    pub(crate) fn dismiss(mut self) {
        if let Some(mut pipe) = self.child.stdin.take() {
            // If the guard is gone there is nobody to tell.
            let _ = pipe.write_all(b"done\n");
        }
        let _ = self.child.wait();
    }
}
