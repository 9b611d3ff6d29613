//! Compares our ledger with the provider's own books, and changes nothing.
//!
//! The window is gone through in slices, so that only the ids of one slice are
//! remembered. Whatever looks different is looked at a second time, freshly read on
//! both sides: a payment made at a slice's edge stands in the neighbouring slice of
//! the other book, and others go on paying meanwhile.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::ports::{Entry, Listing, Window};
use super::{Error, Payments};
use crate::domain::{Account, Charge, Discrepancy};

/// The longest window that is compared at a time.
pub const LONGEST: Duration = Duration::days(31);
/// A slice with little in it is followed by one of twice the length, and one with
/// much in it by one of half.
const SHORTEST_SLICE: Duration = Duration::hours(1);
const LONGEST_SLICE: Duration = Duration::days(1);
const MUCH: usize = 1_000;
/// Payments of ours that are read at a time.
const PAGE: i64 = 500;
/// So many suspects of a slice are looked at a second time. Where there are more,
/// single ones do not matter.
const SECOND_LOOKS: usize = 200;

/// What was compared, and what differs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Findings {
    pub discrepancies: Vec<Discrepancy>,
    pub compared: usize,
    /// Left out: changed moments ago, and perhaps under way.
    pub unsettled: usize,
}

impl Window {
    /// Errors: `WindowInvalid`.
    pub fn new(start: OffsetDateTime, end: OffsetDateTime) -> Result<Self, Error> {
        if start >= end || end - start > LONGEST {
            return Err(Error::WindowInvalid);
        }
        let whole = |t: OffsetDateTime| t - Duration::nanoseconds(i64::from(t.nanosecond()));
        Ok(Self { start: whole(start), end: whole(end) })
    }

    /// The first slice; nothing when the window is empty.
    fn first(self, length: Duration) -> Option<Self> {
        let end = self.end.min(self.start + length);
        (self.start < end).then_some(Self { end, ..self })
    }
}

impl Findings {
    /// A payment may be busy in two slices; what differs is told once.
    fn add(&mut self, more: Self) {
        for discrepancy in more.discrepancies {
            if !self.discrepancies.contains(&discrepancy) {
                self.discrepancies.push(discrepancy);
            }
        }
        self.compared += more.compared;
        self.unsettled += more.unsettled;
    }
}

/// Payments and charges that look different at first sight.
#[derive(Default)]
struct Suspects {
    /// With what looks different.
    ours: HashMap<Uuid, Vec<Discrepancy>>,
    /// Charges that are not the ones of our payments.
    strange: Vec<Entry>,
}

impl Payments {
    /// Compares as much of a window as time allows, from its start, and answers
    /// where to go on; `grace` is the age from which a payment is taken to be settled.
    ///
    /// Errors: `ProviderUnavailable`.
    pub async fn reconcile(
        &self,
        window: Window,
        grace: Duration,
        time_for_it: std::time::Duration,
    ) -> Result<(Findings, Option<OffsetDateTime>), Error> {
        let (started, mut rest, mut findings) = (Instant::now(), window, Findings::default());
        let mut length = SHORTEST_SLICE;
        while let Some(slice) = rest.first(length) {
            let found = self.reconcile_slice(slice, types::now() - grace).await?;
            length = if found.compared < MUCH { length * 2 } else { length / 2 };
            length = length.clamp(SHORTEST_SLICE, LONGEST_SLICE);
            findings.add(found);
            rest.start = slice.end;
            let enough = findings.discrepancies.len() >= SECOND_LOOKS;
            if rest.start < rest.end && (enough || started.elapsed() >= time_for_it) {
                return Ok((findings, Some(rest.start)));
            }
        }
        Ok((findings, None))
    }

    async fn reconcile_slice(
        &self,
        slice: Window,
        settled_at: OffsetDateTime,
    ) -> Result<Findings, Error> {
        let (mut findings, mut seen) = (Findings::default(), HashSet::new());
        let mut suspects = Suspects::default();
        for listing in [Listing::Made, Listing::Refunded] {
            self.read_theirs(listing, slice, &mut seen, &mut suspects).await?;
        }
        self.read_ours(slice, &mut seen, &mut suspects).await?;
        findings.compared = seen.len() + suspects.strange.len();
        self.look_again(suspects.ours, settled_at, &mut findings).await?;
        self.judge_strange(suspects.strange, settled_at, &mut findings).await?;
        Ok(findings)
    }

    async fn read_theirs(
        &self,
        listing: Listing,
        slice: Window,
        seen: &mut HashSet<Uuid>,
        suspects: &mut Suspects,
    ) -> Result<(), Error> {
        let mut after = None;
        loop {
            let page = self.books.page(listing, slice, after.as_deref()).await?;
            let ids: Vec<Uuid> = page.entries.iter().filter_map(|e| e.payment_id).collect();
            let ours = by_id(self.accounts.of(&ids).await?);
            for entry in page.entries {
                let Some(account) = entry.payment_id.and_then(|id| ours.get(&id)) else {
                    suspects.strange.push(entry);
                    continue;
                };
                if account.is_another(&entry.charge) {
                    suspects.strange.push(entry);
                    continue;
                }
                seen.insert(account.payment.id);
                suspects.note(account, Some(&entry.charge));
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn read_ours(
        &self,
        slice: Window,
        seen: &mut HashSet<Uuid>,
        suspects: &mut Suspects,
    ) -> Result<(), Error> {
        let mut after = Uuid::nil();
        loop {
            let page = self.accounts.active(self.provider_name, slice, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.payment.id;
            for account in page {
                if seen.insert(account.payment.id) {
                    suspects.note(&account, None);
                }
            }
        }
    }

    async fn look_again(
        &self,
        suspects: HashMap<Uuid, Vec<Discrepancy>>,
        settled_at: OffsetDateTime,
        findings: &mut Findings,
    ) -> Result<(), Error> {
        let ids: Vec<Uuid> = suspects.keys().copied().collect();
        let mut first_sight = suspects;
        for (place, account) in self.accounts.of(&ids).await?.into_iter().enumerate() {
            if account.payment.updated_at > settled_at {
                findings.unsettled += 1;
            } else if place < SECOND_LOOKS {
                let charge = self.provider.find(&account.payment).await?;
                findings.discrepancies.extend(account.differences(charge.as_ref()));
            } else {
                let noted = first_sight.remove(&account.payment.id);
                findings.discrepancies.extend(noted.unwrap_or_default());
            }
        }
        Ok(())
    }

    async fn judge_strange(
        &self,
        strange: Vec<Entry>,
        settled_at: OffsetDateTime,
        findings: &mut Findings,
    ) -> Result<(), Error> {
        let ids: Vec<Uuid> = strange.iter().filter_map(|e| e.payment_id).collect();
        let ours = by_id(self.accounts.of(&ids).await?);
        for Entry { payment_id, charge, made_at } in strange {
            if made_at > settled_at {
                findings.unsettled += 1;
                continue;
            }
            match payment_id.and_then(|id| ours.get(&id)) {
                // Its payment was begun, or learned of it, since the first look.
                Some(account) if !account.is_another(&charge) => {}
                Some(account) => findings.discrepancies.extend(account.second(&charge)),
                None => findings.discrepancies.extend(charge.unknown()),
            }
        }
        Ok(())
    }
}

impl Suspects {
    fn note(&mut self, account: &Account, charge: Option<&Charge>) {
        let differences = account.differences(charge);
        if !differences.is_empty() {
            self.ours.insert(account.payment.id, differences);
        }
    }
}

fn by_id(accounts: Vec<Account>) -> HashMap<Uuid, Account> {
    accounts.into_iter().map(|a| (a.payment.id, a)).collect()
}
