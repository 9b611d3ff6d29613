//! Stripe's lists, and the refunds on them.

use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Intent, reference};
use crate::core::ports::{Entry, Page, ProviderError};
use crate::domain::RefundState;

/// <https://docs.stripe.com/api/pagination>
#[derive(Deserialize)]
pub(in super::super) struct List<T> {
    pub(in super::super) data: Vec<T>,
    #[serde(default)]
    has_more: bool,
}

/// <https://docs.stripe.com/api/refunds/object>
#[derive(Deserialize)]
pub(in super::super) struct Refunded {
    id: String,
    status: Option<String>,
    failure_reason: Option<String>,
    #[serde(default)]
    metadata: Metadata,
    payment_intent: Option<OfIntent>,
}

#[derive(Deserialize, Default)]
struct Metadata {
    refund_id: Option<String>,
}

/// An id, unless it was asked for with `expand`.
#[derive(Deserialize)]
#[serde(untagged)]
enum OfIntent {
    Whole(Box<Intent>),
    Id(#[allow(dead_code)] String),
}

impl Refunded {
    /// A refund that failed was not made; a pending one will be.
    pub(in super::super) fn accepted(self) -> Result<(), ProviderError> {
        if self.failed() {
            return Err(ProviderError::Refused(self.failure_reason.unwrap_or_default()));
        }
        Ok(())
    }

    fn failed(&self) -> bool {
        matches!(self.status.as_deref(), Some("failed" | "canceled"))
    }
}

impl Intent {
    /// Nothing while it is under way: there is no money in it.
    fn entry(self) -> Option<Entry> {
        let payment_id = reference(&self.metadata);
        let seconds = self.created.unwrap_or_default();
        let made_at = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
        Some(Entry { payment_id, charge: self.charge().ok()?, made_at })
    }
}

impl List<Intent> {
    pub(in super::super) fn page(self) -> Page {
        let next = self.data.last().filter(|_| self.has_more).map(|last| last.id.clone());
        Page { entries: self.data.into_iter().filter_map(Intent::entry).collect(), next }
    }
}

impl List<Refunded> {
    pub(in super::super) fn page(self) -> Page {
        let next = self.data.last().filter(|_| self.has_more).map(|last| last.id.clone());
        let entry = |refund: Refunded| match refund.payment_intent {
            Some(OfIntent::Whole(intent)) => intent.entry(),
            Some(OfIntent::Id(_)) | None => None,
        };
        Page { entries: self.data.into_iter().filter_map(entry).collect(), next }
    }

    /// What became of one of ours; unknown when it may stand on a further page.
    pub(in super::super) fn refund(self, id: Uuid) -> Result<Option<RefundState>, ProviderError> {
        let id = id.to_string();
        let found = self.data.iter().find(|r| r.metadata.refund_id.as_deref() == Some(&id));
        match found {
            Some(refund) if refund.failed() => Ok(Some(RefundState::Failed)),
            Some(_) => Ok(Some(RefundState::Succeeded)),
            None if self.has_more => Err(ProviderError::Unknown("it has many refunds".to_owned())),
            None => Ok(None),
        }
    }
}
