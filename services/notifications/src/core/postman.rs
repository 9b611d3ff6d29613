//! Handing e-mails over to the mail server.

use std::sync::Arc;

use futures::future::join_all;
use secrecy::ExposeSecret;
use tracing::Instrument;

use super::Error;
use super::ports::{Deliveries, Leased, Mail, MailTokens, Mailer, NoToken, NotSent, Texts};
use crate::domain::{Patience, PublicUrl, Verdict};

/// Connections to the mail server at once.
const BATCH: i64 = 8;

/// Hands e-mails over.
pub struct Postman {
    deliveries: Arc<dyn Deliveries>,
    mailer: Arc<dyn Mailer>,
    texts: Arc<dyn Texts>,
    links: Links,
    patience: Patience,
}

/// What the links in e-mails are made of.
pub struct Links {
    pub tokens: Arc<dyn MailTokens>,
    /// Where they lead.
    pub public_url: PublicUrl,
}

/// What a round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Nothing else is due.
    Done,
    /// More may be due.
    More,
    /// The mail server does not work; waiting is better than trying.
    NoServer,
}

impl Postman {
    pub fn new(
        deliveries: Arc<dyn Deliveries>,
        mailer: Arc<dyn Mailer>,
        texts: Arc<dyn Texts>,
        links: Links,
        patience: Patience,
    ) -> Self {
        Self { deliveries, mailer, texts, links, patience }
    }

    /// Takes what is due and hands it over.
    ///
    /// An e-mail is marked after it was handed over: a crash in between repeats
    /// it under the same id and never loses it.
    pub async fn round(&self) -> Result<Round, Error> {
        let taken = self.deliveries.take(types::now(), self.patience.lease, BATCH).await?;
        count("suppressed", taken.suppressed);
        let served = taken.mails.len() + taken.suppressed;
        let outcomes = join_all(taken.mails.iter().map(|mail| self.deliver(mail))).await;
        let mut worked = true;
        for outcome in outcomes {
            worked &= outcome?;
        }
        Ok(match worked {
            false => Round::NoServer,
            true if served as i64 == BATCH => Round::More,
            true => Round::Done,
        })
    }

    /// How many e-mails are to be handed over.
    pub async fn pending(&self) -> Result<i64, Error> {
        self.deliveries.pending().await
    }

    /// Answers false when the mail server does not work.
    async fn deliver(&self, leased: &Leased) -> Result<bool, Error> {
        let span = tracing::info_span!("deliver", otel.name = "deliver e-mail");
        telemetry::set_parent(&span, leased.traceparent.as_deref());
        self.deliver_now(leased).instrument(span).await
    }

    async fn deliver_now(&self, leased: &Leased) -> Result<bool, Error> {
        let verdict = self.attempt(leased).await?;
        if self.deliveries.settle(leased, &verdict, types::now()).await? {
            count(outcome(&verdict), 1);
        } else {
            let id = leased.notification_id;
            tracing::warn!(notification.id = %id, "an e-mail took longer than its lease");
        }
        Ok(!matches!(verdict, Verdict::PutBack { .. }))
    }

    async fn attempt(&self, leased: &Leased) -> Result<Verdict, Error> {
        let Leased { notification_id, kind, attempt, to, text, created_at, .. } = leased;
        // Earlier attempts may have ended without a word: in a crash, each time.
        if *attempt > self.patience.max_attempts {
            return Ok(Verdict::GiveUp { error: "no attempt came to an end".to_owned() });
        }
        let link = match self.link(leased).await {
            Ok(link) => link,
            Err(NoToken::TooLate) => {
                return Ok(Verdict::GiveUp { error: NoToken::TooLate.to_string() });
            }
            Err(NoToken::Unreachable(error)) => {
                return Ok(self.patience.postponed(*created_at, types::now(), error));
            }
        };
        let text = self.texts.mail(*kind, text, to, link.as_deref())?;
        let mail = Mail { id: *notification_id, to: to.clone(), text, date: *created_at };
        Ok(match self.mailer.send(&mail).await {
            Ok(()) => Verdict::Sent,
            Err(NotSent::Permanent(error)) => Verdict::GiveUp { error },
            Err(NotSent::Temporary(error)) => self.patience.refused(*attempt, types::now(), error),
            Err(NotSent::Unreachable(error)) => Verdict::PutBack { error },
        })
    }

    /// The link that belongs into an e-mail, with a token that is made for this attempt.
    async fn link(&self, leased: &Leased) -> Result<Option<String>, NoToken> {
        let Some(page) = leased.kind.token_page() else { return Ok(None) };
        let token = self.links.tokens.mint(leased.about_id).await?;
        Ok(Some(self.links.public_url.with_token(page, token.expose_secret())))
    }
}

fn outcome(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Sent => "sent",
        Verdict::Retry { .. } => "retried",
        Verdict::GiveUp { .. } => "failed",
        Verdict::PutBack { .. } => "unreachable",
        Verdict::Postpone { .. } => "postponed",
    }
}

fn count(outcome: &'static str, how_many: usize) {
    metrics::counter!("notifications_deliveries_total", "outcome" => outcome)
        .increment(how_many as u64);
}
