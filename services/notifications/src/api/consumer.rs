//! Facts from other services, as occasions to tell somebody something.
//!
//! They come in any order: an order's fact may be here before its customer's
//! registration. Nothing here waits for that; e-mails wait for their contact.

use std::sync::Arc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use events::{Handler, Meta};
use proto::google::r#type::Money as PbMoney;
use proto::identity::v1::{MailPurpose, MailTokenRequested, SecurityEventRecorded, UserRegistered};
use proto::orders::v1::{OrderCancelled, OrderConfirmed, OrderFailed, OrderedLine};
use proto::payments::v1::PaymentRefunded;
use sqlx::PgConnection;
use time::OffsetDateTime;
use types::Money;
use uuid::Uuid;

use crate::core::Notifier;
use crate::core::ports::Effects;
use crate::domain::{Contact, Line, Occasion, SecurityEvent};

/// Opens the effects of a fact in the transaction that marks it as consumed.
pub type OpenEffects = for<'t> fn(&'t mut PgConnection) -> Box<dyn Effects + 't>;

/// Applies every fact that this service consumes.
#[derive(Clone)]
pub struct Facts {
    core: Arc<Notifier>,
    open: OpenEffects,
}

impl Facts {
    pub fn new(core: Arc<Notifier>, open: OpenEffects) -> Self {
        Self { core, open }
    }

    async fn tell(
        &self,
        tx: &mut PgConnection,
        user_id: &str,
        about_id: Uuid,
        occasion: Occasion,
    ) -> Result<()> {
        let user_id = id("user_id", user_id)?;
        let mut effects = (self.open)(tx);
        Ok(self.core.tell(effects.as_mut(), user_id, about_id, &occasion).await?)
    }
}

#[async_trait]
impl Handler<UserRegistered> for Facts {
    async fn handle(&self, tx: &mut PgConnection, fact: UserRegistered, _: &Meta) -> Result<()> {
        let UserRegistered { user_id, email, display_name } = fact;
        let contact = Contact::new(id("user_id", &user_id)?, &email, &display_name);
        let mut effects = (self.open)(tx);
        Ok(self.core.welcome(effects.as_mut(), contact).await?)
    }
}

#[async_trait]
impl Handler<MailTokenRequested> for Facts {
    async fn handle(
        &self,
        tx: &mut PgConnection,
        fact: MailTokenRequested,
        _: &Meta,
    ) -> Result<()> {
        let MailTokenRequested { mail_request_id, user_id, purpose } = fact;
        let occasion = match MailPurpose::try_from(purpose).unwrap_or_default() {
            MailPurpose::VerifyEmail => Occasion::EmailToVerify,
            MailPurpose::ResetPassword => Occasion::PasswordToReset,
            MailPurpose::Unspecified => {
                tracing::warn!(purpose, "a token was asked for, and nobody here knows what for");
                return Ok(());
            }
        };
        self.tell(tx, &user_id, id("mail_request_id", &mail_request_id)?, occasion).await
    }
}

#[async_trait]
impl Handler<SecurityEventRecorded> for Facts {
    async fn handle(
        &self,
        tx: &mut PgConnection,
        fact: SecurityEventRecorded,
        meta: &Meta,
    ) -> Result<()> {
        let SecurityEventRecorded { user_id, kind, time } = fact;
        // Most of what is recorded is nothing to write a mail about.
        let Some(event) = SecurityEvent::of_kind(&kind) else { return Ok(()) };
        let time = time.context("no time")?;
        let at = OffsetDateTime::from_unix_timestamp(time.seconds).context("time")?;
        // The same may happen again: each time is told, known by its event.
        self.tell(tx, &user_id, meta.event_id, Occasion::Security { event, at }).await
    }
}

#[async_trait]
impl Handler<OrderConfirmed> for Facts {
    async fn handle(&self, tx: &mut PgConnection, fact: OrderConfirmed, _: &Meta) -> Result<()> {
        let OrderConfirmed { order_id, user_id, total, lines } = fact;
        let order_id = id("order_id", &order_id)?;
        let lines = lines.into_iter().map(line).collect::<Result<_>>()?;
        let total = money("total", total)?;
        let occasion = Occasion::OrderConfirmed { order_id, total, lines };
        self.tell(tx, &user_id, order_id, occasion).await
    }
}

#[async_trait]
impl Handler<OrderFailed> for Facts {
    async fn handle(&self, tx: &mut PgConnection, fact: OrderFailed, _: &Meta) -> Result<()> {
        let OrderFailed { order_id, user_id, reason } = fact;
        let order_id = id("order_id", &order_id)?;
        self.tell(tx, &user_id, order_id, Occasion::OrderFailed { order_id, reason }).await
    }
}

#[async_trait]
impl Handler<OrderCancelled> for Facts {
    async fn handle(&self, tx: &mut PgConnection, fact: OrderCancelled, _: &Meta) -> Result<()> {
        let OrderCancelled { order_id, user_id, total } = fact;
        let order_id = id("order_id", &order_id)?;
        let occasion = Occasion::OrderCancelled { order_id, total: money("total", total)? };
        self.tell(tx, &user_id, order_id, occasion).await
    }
}

#[async_trait]
impl Handler<PaymentRefunded> for Facts {
    async fn handle(
        &self,
        tx: &mut PgConnection,
        fact: PaymentRefunded,
        meta: &Meta,
    ) -> Result<()> {
        let PaymentRefunded { payment_id: _, order_id, user_id, amount } = fact;
        let order_id = id("order_id", &order_id)?;
        let amount = money("amount", amount)?;
        // A payment may be given back in parts: every refund is told, so the refund
        // itself, known by its event, is the subject and not the payment.
        let occasion = Occasion::PaymentRefunded { order_id, amount };
        self.tell(tx, &user_id, meta.event_id, occasion).await
    }
}

fn id(field: &'static str, text: &str) -> Result<Uuid> {
    Uuid::try_parse(text).with_context(|| format!("{field} is not a UUID"))
}

fn money(field: &'static str, money: Option<PbMoney>) -> Result<Money> {
    let PbMoney { currency_code, units, nanos } = money.with_context(|| format!("no {field}"))?;
    Money::from_units(&currency_code, units, nanos).context(field)
}

fn line(line: OrderedLine) -> Result<Line> {
    let OrderedLine { product_id: _, name, quantity, line_total } = line;
    Ok(Line::new(&name, quantity, money("line_total", line_total)?))
}
