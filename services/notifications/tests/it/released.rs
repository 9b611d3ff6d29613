//! Facts as the released contract's publishers send them, over the real broker: they
//! are still understood, also with fields that nobody here knows yet.

use std::path::Path;

use contract::release::{self, Fixture};
use prost::Message;
use proto::fact::FACTS;
use proto::identity::v1::{MailTokenRequested, UserRegistered};
use proto::notifications::v1::NotificationKind;
use proto::orders::v1::{OrderCancelled, OrderConfirmed, OrderFailed};
use proto::payments::v1::PaymentRefunded;

use crate::world::World;

const ME: &str = "notifications";

/// What must have happened once a fact is consumed.
#[derive(Debug)]
struct Told {
    user_id: String,
    kind: NotificationKind,
    order_id: String,
    /// Stands in the subject or the body.
    says: &'static str,
}

impl Told {
    /// The case of a fact; the sample's money is EUR 12.99. Nothing where nobody is told
    /// of the sample.
    fn by(fixture: &Fixture) -> Option<Self> {
        let (user_id, kind, order_id, says) = match fixture.topic.as_str() {
            "identity.v1.user_registered" => {
                let UserRegistered { user_id, .. } = read(fixture);
                (user_id, NotificationKind::Welcome, String::new(), "Welcome")
            }
            "orders.v1.order_confirmed" => {
                let OrderConfirmed { user_id, order_id, .. } = read(fixture);
                (user_id, NotificationKind::OrderConfirmed, order_id, "EUR 12.99")
            }
            "orders.v1.order_failed" => {
                let OrderFailed { user_id, order_id, .. } = read(fixture);
                (user_id, NotificationKind::OrderFailed, order_id, "could not be completed")
            }
            "orders.v1.order_cancelled" => {
                let OrderCancelled { user_id, order_id, .. } = read(fixture);
                (user_id, NotificationKind::OrderCancelled, order_id, "EUR 12.99")
            }
            "payments.v1.payment_refunded" => {
                let PaymentRefunded { user_id, order_id, .. } = read(fixture);
                (user_id, NotificationKind::PaymentRefunded, order_id, "EUR 12.99")
            }
            "identity.v1.mail_token_requested" => {
                let MailTokenRequested { user_id, .. } = read(fixture);
                (user_id, NotificationKind::VerifyEmail, String::new(), "confirm")
            }
            // A kind that nobody needs a mail about.
            "identity.v1.security_event_recorded" => return None,
            topic => panic!("{topic} is consumed here, but this test has no case for it"),
        };
        Some(Self { user_id, kind, order_id, says })
    }
}

fn read<M: Message + Default>(fixture: &Fixture) -> M {
    M::decode(fixture.payload.as_slice()).unwrap()
}

/// Whether today's contract says that it is consumed here.
fn is_mine(fact: &Fixture) -> bool {
    FACTS.iter().any(|info| info.topic == fact.topic && info.consumers.contains(&ME))
}

/// Publishes every released fact, also those that nobody consumes yet.
async fn are_handled(payload: impl Fn(&Fixture) -> Vec<u8>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let released = release::read(&root).unwrap().expect("a released contract is checked in");
    let mine: Vec<&Fixture> = released.facts.iter().filter(|f| is_mine(f)).collect();
    assert!(!mine.is_empty());
    let expected: Vec<Told> = mine.iter().filter_map(|f| Told::by(f)).collect();
    let world = World::start().await;
    for fact in &released.facts {
        world.publish_bytes(&fact.topic, &fact.key, &fact.schema, payload(fact)).await;
    }
    world.consumed_all(mine.iter().map(|f| f.topic.as_str())).await;
    for Told { user_id, kind, order_id, says } in expected {
        let told = world.told(user_id.parse().unwrap()).await;
        let told = told.iter().find(|n| n.kind() == kind).unwrap_or_else(|| panic!("{kind:?}"));
        assert_eq!(told.order_id, order_id, "{kind:?}");
        let text = format!("{}\n{}", told.subject, told.body);
        assert!(text.contains(says), "{kind:?}: {text}");
    }
}

#[tokio::test]
async fn every_fact_of_the_released_contract_is_still_handled() {
    are_handled(|fixture| fixture.payload.clone()).await;
}

#[tokio::test]
async fn fields_of_a_later_publisher_are_ignored() {
    are_handled(Fixture::from_the_future).await;
}
