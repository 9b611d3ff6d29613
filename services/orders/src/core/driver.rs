//! Drives a saga: do the next thing, write down what came of it, go on.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::Error;
use super::drill::{Drill, Moment};
use super::figures;
use super::ports::{Attempt, Carts, Leased, Payments, SagaStore, Setback, Stock};
use crate::domain::{Action, Order, Outcome, Progress, Saga};

/// How sagas are driven.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a checkout may take until it is promised or given up.
    pub checkout_allowance: Duration,
    /// The longest one action may take; shorter than the lease.
    pub action_timeout: Duration,
    /// Where to die, for drills.
    pub drill: Drill,
}

/// Drives sagas that are leased to it.
pub struct Driver {
    pub(crate) sagas: Arc<dyn SagaStore>,
    pub(crate) stock: Arc<dyn Stock>,
    pub(crate) payments: Arc<dyn Payments>,
    pub(crate) carts: Arc<dyn Carts>,
    pub(crate) settings: Settings,
    pub(crate) tasks: TaskTracker,
    /// The process is asked to end: nobody waits for the sagas of others any more.
    pub(crate) leaving: CancellationToken,
    /// No further action is begun.
    pub(crate) stopping: CancellationToken,
}

/// A saga that is being driven. It goes on when this is dropped.
pub struct Driving(JoinHandle<Option<Order>>);

impl Driving {
    /// The order when its saga has ended; nothing when somebody else, or the same
    /// driver later, has to go on with it.
    pub async fn ended(self) -> Option<Order> {
        self.0.await.ok().flatten()
    }
}

impl Driver {
    /// Drives a saga in a task of its own: whoever began it may go away.
    pub fn start(self: &Arc<Self>, leased: Leased) -> Driving {
        let driver = Arc::clone(self);
        let span = tracing::info_span!(
            parent: &leased.span,
            "saga",
            order.id = %leased.saga.order.id,
            saga.kind = leased.saga.kind.name(),
        );
        let driving = async move { driver.drive(leased).await };
        Driving(self.tasks.spawn(driving.instrument(span)))
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Cancelled when the process is asked to end.
    pub fn leaving(&self) -> &CancellationToken {
        &self.leaving
    }

    async fn drive(&self, mut leased: Leased) -> Option<Order> {
        match self.drive_on(&mut leased).await {
            Ok(true) => Some(leased.saga.order),
            Ok(false) => None,
            Err(error) => {
                // Whether it was written is not known: the lease runs out, and
                // whoever takes over reads how it is.
                tracing::error!(error = %error, "a saga's state could not be written down");
                None
            }
        }
    }

    /// True when the saga has ended.
    async fn drive_on(&self, leased: &mut Leased) -> Result<bool, Error> {
        while leased.saga.progress == Progress::Running {
            if self.stopping.is_cancelled() {
                leased.saga.progress = Progress::Paused(Duration::ZERO);
                self.sagas.save(leased, None).await?;
                return Ok(false);
            }
            let outcome = self.act(&leased.saga).await;
            let now = types::now();
            let fact = leased.saga.advance(outcome, now, rand::random());
            let told = fact.is_some();
            if !self.sagas.save(leased, fact).await? {
                tracing::warn!("somebody else drives this saga now");
                return Ok(false);
            }
            if told {
                figures::count(&leased.saga.order);
            }
            report(&leased.saga, now);
        }
        Ok(leased.saga.progress == Progress::Done)
    }

    /// Does the next action of a saga. The one place where drills die.
    async fn act(&self, saga: &Saga) -> Outcome {
        if saga.is_too_late(types::now()) {
            return Outcome::Unknown("the checkout's deadline has passed".to_owned());
        }
        let action = saga.action();
        self.settings.drill.reach(Moment::Before, action);
        #[cfg(feature = "sabotage")]
        if self.settings.drill.skips(action) {
            return Outcome::Done;
        }
        let outcome =
            tokio::time::timeout(self.settings.action_timeout, self.perform(saga, action))
                .instrument(tracing::info_span!(
                    "step",
                    otel.name = format!("step {}", action.name())
                ))
                .await
                .unwrap_or_else(|_| Outcome::Unknown("no answer in time".to_owned()));
        self.settings.drill.reach(Moment::After, action);
        outcome
    }

    async fn perform(&self, saga: &Saga, action: Action) -> Outcome {
        let order = &saga.order;
        match action {
            Action::Reserve => outcome(self.stock.reserve(order).await),
            Action::Release => outcome(self.stock.release(order.id).await),
            Action::Authorize => self.authorize(saga).await,
            Action::Reverse => outcome(self.payments.reverse(order.id).await),
            Action::Confirm => Outcome::Done,
            Action::Settle => self.settle(order).await,
        }
    }

    async fn authorize(&self, saga: &Saga) -> Outcome {
        let Some(token) = &saga.payment_token else {
            return Outcome::Refused("PAYMENT_TOKEN_MISSING".to_owned());
        };
        match self.payments.authorize(&saga.order, token).await {
            Ok(payment_id) => Outcome::Paid(payment_id),
            Err(setback) => outcome(Err(setback)),
        }
    }

    /// Stock, money and cart at once: none depends on another. A refusal means
    /// that what was set aside is gone; trying again would not bring it back.
    async fn settle(&self, order: &Order) -> Outcome {
        let (sold, taken, emptied) = tokio::join!(
            self.stock.commit(order.id),
            self.payments.capture(order.id),
            self.carts.settle(order),
        );
        match (sold, taken, emptied) {
            (Err(Setback::Refused(_)), _, _) => Outcome::Refused("STOCK_LOST".to_owned()),
            (_, Err(Setback::Refused(_)), _) => Outcome::Refused("PAYMENT_LOST".to_owned()),
            // A cart that cannot be emptied is no reason to cancel an order.
            (_, _, Err(Setback::Refused(reason))) => Outcome::Unknown(reason),
            (sold, taken, emptied) => outcome(sold.and(taken).and(emptied)),
        }
    }
}

fn outcome(attempt: Attempt) -> Outcome {
    match attempt {
        Ok(()) => Outcome::Done,
        Err(Setback::Refused(reason)) => Outcome::Refused(reason),
        Err(Setback::Unknown(cause)) => Outcome::Unknown(cause),
    }
}

/// Logs what did not go smoothly, and measures what ended.
fn report(saga: &Saga, now: OffsetDateTime) {
    let (step, direction) = (saga.step.name(), saga.direction.name());
    match saga.progress {
        Progress::Paused(pause) => tracing::warn!(
            saga.step = step,
            saga.direction = direction,
            saga.attempts = saga.attempts,
            error = saga.last_error,
            pause_ms = pause.as_millis(),
            "a step of a saga has to be tried again"
        ),
        Progress::Done => {
            let took = (now - saga.started_at).as_seconds_f64();
            let labels = [("kind", saga.kind.name()), ("outcome", saga.order.state.name())];
            metrics::histogram!("saga_duration_seconds", &labels).record(took);
            tracing::info!(
                order.state = saga.order.state.name(),
                saga.reason = saga.reason,
                "saga ended"
            );
        }
        Progress::Running => {}
    }
}
