//! Renews certificates while a platform runs.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use time::OffsetDateTime;

use super::Pki;
use crate::whole::Stack;

const EVERY: Duration = Duration::from_secs(60);

/// Looks after certificates until it is dropped, whatever becomes of async tasks.
pub(crate) struct Keeper {
    _until_dropped: Sender<()>,
}

impl Keeper {
    pub(crate) fn start(pki: Pki) -> Self {
        let (sender, dropped) = mpsc::channel();
        thread::spawn(move || {
            while dropped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                tend(&pki);
            }
        });
        Self { _until_dropped: sender }
    }
}

impl Stack {
    /// For tests: makes a new authority. Workloads begin to believe it.
    pub fn announce_authority(&self) -> Result<()> {
        Pki::of(self.layout()).announce(OffsetDateTime::now_utc())
    }

    /// For tests: lets the new authority sign everybody's certificates.
    pub fn switch_authority(&self) -> Result<()> {
        Pki::of(self.layout()).switch(OffsetDateTime::now_utc())
    }
}

/// Looks after the certificates of a platform that runs in the background, for ever.
pub fn keep(state: &Path) {
    let pki = Pki { dir: state.join("pki") };
    loop {
        thread::sleep(EVERY);
        tend(&pki);
    }
}

fn tend(pki: &Pki) {
    if let Err(error) = pki.tend(OffsetDateTime::now_utc()) {
        // The next try may do better, and there is half a life left for it.
        eprintln!("cannot renew the certificates: {error:#}");
    }
}
