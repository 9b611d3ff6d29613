//! The race matrix: everything that may come in another order than hoped for, at
//! every provider. After each case money agrees; docs/payments/race-matrix.md lists
//! the cases.

mod lost;
mod news;
mod restart;
mod together;

use payments::config::ProviderKind;

use crate::door::Letter;
use crate::world::{Options, Order, World};

/// Every case as a test for each provider.
macro_rules! at_every_provider {
    ($($case:ident)*) => {
        mod sandbox {
            $(#[tokio::test]
            async fn $case() {
                super::$case(payments::config::ProviderKind::Sandbox).await;
            })*
        }
        mod stripe {
            $(#[tokio::test]
            async fn $case() {
                super::$case(payments::config::ProviderKind::Stripe).await;
            })*
        }
    };
}
use at_every_provider;

/// Webhooks are handed in by the case, and nothing is swept.
async fn world_of(provider: ProviderKind) -> World {
    World::with(Options { provider, ..Options::default() }).await
}

/// Nothing is swept before it is 50 ms old.
async fn swept_world_of(provider: ProviderKind) -> World {
    World::with(Options { provider, sweep_after_millis: 50, ..Options::default() }).await
}

impl World {
    fn order(&self) -> Order {
        Order::by(self.bank.good_card())
    }

    /// What the provider tells about an order's payment now.
    async fn letter_about(&self, order: &Order) -> Letter {
        let payment_id = self.payment_id(order).await;
        crate::bank::from_provider(&self.bank.event(payment_id).await)
    }

    async fn hand_in(&self, letter: &Letter) -> Result<(), tonic::Status> {
        self.door.hand_in_for(self.bank.name(), letter).await
    }

    /// The case is over: the payment's state, the provider's, the facts, and money.
    async fn ends_as(&self, order: &Order, state: &str, charge: &str, facts: &[&str]) {
        assert_eq!(self.state(order).await, state);
        let charges = self.bank.charges().await;
        assert_eq!(charges.iter().map(|c| c.state.as_str()).collect::<Vec<_>>(), [charge]);
        assert_eq!(self.facts().await, facts);
        self.money_agrees().await;
    }

    /// Waits until the provider has a charge in this state.
    async fn bank_has(&self, state: &str) {
        testkit::eventually(&format!("the provider has {state}"), async || {
            self.bank.charges().await.iter().any(|c| c.state == state).then_some(())
        })
        .await;
    }
}
