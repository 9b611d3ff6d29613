//! Export and erasure of all that is kept about a person (GDPR, articles 15, 17, 20).

use std::sync::Arc;

use futures::future::try_join_all;
use time::{Duration, OffsetDateTime};
use types::PageSize;
use uuid::Uuid;

use super::Error;
use super::ports::{Erasing, ErasureRow, PersonalData, Ports};
use crate::domain::{Event, EventKind, Origin};

/// How many accounts are erased at once.
const BATCH: i64 = 8;
/// A process that took an erasure and died is followed by another after this time.
const LEASE: Duration = Duration::minutes(1);

/// Collects and erases, here and at every workload that keeps something.
pub struct Erasure {
    ports: Arc<Ports>,
    own: Arc<dyn PersonalData>,
    others: Vec<Arc<dyn PersonalData>>,
}

impl Erasure {
    pub fn new(
        ports: Arc<Ports>,
        own: Arc<dyn PersonalData>,
        others: Vec<Arc<dyn PersonalData>>,
    ) -> Self {
        Self { ports, own, others }
    }

    /// A JSON document of each workload that keeps something.
    pub async fn export(&self, user: Uuid) -> Result<Vec<(&'static str, String)>, Error> {
        self.ports.users.get(user).await?.ok_or(Error::UserNotFound)?;
        let sources = std::iter::once(&self.own).chain(&self.others);
        let documents = sources
            .map(|source| async { Ok::<_, Error>((source.name(), source.export(user).await?)) });
        let mut documents = try_join_all(documents).await?;
        documents.retain(|(_, document)| !document.is_empty());
        Ok(documents)
    }

    /// Goes on with what is due; answers how many accounts there were.
    pub async fn round(&self, now: OffsetDateTime) -> Result<usize, Error> {
        let due = self.ports.erasures.take(now, now + LEASE, BATCH).await?;
        for erasing in &due {
            if let Err(error) = self.go_on(erasing, now).await {
                tracing::warn!(error = %error, user.id = %erasing.user, "an erasure goes on later");
                let pause = pause(erasing.tries);
                self.ports.erasures.retry_at(erasing.user, now + pause).await?;
            }
        }
        Ok(due.len())
    }

    /// A page of erasures, latest request first, and one more where another page follows.
    pub async fn list(
        &self,
        since: Option<OffsetDateTime>,
        size: PageSize,
        before: Option<(OffsetDateTime, Uuid)>,
    ) -> Result<Vec<ErasureRow>, Error> {
        self.ports.erasures.list(since, before, size.probe()).await
    }

    /// Erases people everywhere once more, after a restore. Answers how many of them had
    /// an account again.
    pub async fn repeat(
        &self,
        users: &[Uuid],
        why: &str,
        operator: Uuid,
        origin: &Origin,
    ) -> Result<usize, Error> {
        let now = types::now();
        let event = Event::of(EventKind::ErasuresRepeated, operator, now, origin);
        self.ports.audit.record(&event.with_detail(users.len().to_string())).await?;
        tracing::info!(user.id = %operator, count = users.len(), why, "erasures are repeated");
        let mut back = 0;
        for user in users {
            let event = Event::of(EventKind::ErasureRepeated, *user, now, &Origin::default());
            match self.ports.users.close(*user, now, &event).await {
                Ok(()) => back += 1,
                Err(Error::UserNotFound) => self.ports.erasures.begin(*user, now).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(back)
    }

    /// The others first: as long as one of them has something, the account is
    /// remembered here.
    async fn go_on(&self, erasing: &Erasing, now: OffsetDateTime) -> Result<(), Error> {
        let user = erasing.user;
        let mut waits = false;
        for other in self.others.iter().filter(|o| !erasing.done.iter().any(|d| d == o.name())) {
            match other.erase(user).await? {
                true => self.ports.erasures.note(user, other.name()).await?,
                false => waits = true,
            }
        }
        let event = Event::of(EventKind::AccountErased, user, now, &Origin::default());
        if waits || !self.ports.erasures.finish(user, &event).await? {
            // Something has to end first, perhaps in days.
            return self.ports.erasures.retry_at(user, now + pause(erasing.tries)).await;
        }
        tracing::info!(user.id = %user, "everything personal of a closed account is erased");
        Ok(())
    }
}

/// 1 s, 2 s, 4 s … 10 min.
fn pause(tries: i32) -> Duration {
    Duration::minutes(10).min(Duration::SECOND * (1 << tries.clamp(0, 10)))
}
