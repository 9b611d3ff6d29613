//! Takes up a new certificate, key or set of authorities as soon as the files hold one.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use time::OffsetDateTime;
use tokio::sync::watch;

use super::credentials::{Credentials, Files, Pems};
use super::spiffe::Domain;

/// Reads the files, and goes on until nobody needs what they hold.
///
/// Looking at their content needs no help of the file system and sees every way to
/// replace them: in place, by a rename, by a link as Kubernetes does.
pub(super) fn follow(
    files: Files,
    domain: Arc<Domain>,
    every: Duration,
) -> Result<watch::Receiver<Arc<Credentials>>> {
    let pems = files.read()?;
    let first = Credentials::new(&pems, &domain)?;
    first.measure();
    let (newest, receiver) = watch::channel(Arc::new(first));
    let found = Ok(pems);
    let mut watcher = Watcher { files, domain, seen: found.clone(), judged: found, newest };
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(every);
        loop {
            tokio::select! {
                () = watcher.newest.closed() => return,
                _ = ticks.tick() => watcher.look(),
            }
        }
    });
    Ok(receiver)
}

/// What the files hold, or why they cannot be read.
type Found = Result<Pems, String>;

struct Watcher {
    files: Files,
    domain: Arc<Domain>,
    /// At the last look.
    seen: Found,
    /// What was taken up, or refused, last.
    judged: Found,
    newest: watch::Sender<Arc<Credentials>>,
}

impl Watcher {
    /// Files that are being written differ at the next look: only what stays is judged,
    /// and only once.
    fn look(&mut self) {
        let found = self.files.read().map_err(|error| format!("{error:#}"));
        let stays = found == self.seen;
        if stays && found != self.judged {
            self.judge(&found);
            self.judged = found.clone();
        }
        self.seen = found;
        self.newest.borrow().measure();
    }

    fn judge(&self, found: &Found) {
        let found = found.as_ref().map_err(Clone::clone);
        let usable = found.and_then(|pems| {
            Credentials::new(pems, &self.domain).map_err(|error| format!("{error:#}"))
        });
        match usable {
            Ok(credentials) => {
                let end = OffsetDateTime::from_unix_timestamp(credentials.life.1).ok();
                self.newest.send_replace(Arc::new(credentials));
                metrics::counter!("mesh_credentials_taken_total").increment(1);
                let end = end.map(tracing::field::display);
                tracing::info!(mesh.expires = end, "took up new mesh credentials");
            }
            Err(error) => {
                metrics::counter!("mesh_credentials_refused_total").increment(1);
                tracing::warn!(error, "new mesh credentials are not usable; the old ones stay");
            }
        }
    }
}

impl Credentials {
    fn measure(&self) {
        let (begin, end) = self.life;
        let left = end - OffsetDateTime::now_utc().unix_timestamp();
        metrics::gauge!("mesh_certificate_expiry_seconds").set(left as f64);
        metrics::gauge!("mesh_certificate_life_seconds").set((end - begin) as f64);
    }
}
