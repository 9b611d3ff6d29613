//! Random operations on few payments, many at once, with a provider that loses what
//! it is told: whatever happens, money agrees in the end.

use futures::StreamExt;
use payments::config::ProviderKind;
use proto::payments::v1 as pb;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::bank::from_provider;
use crate::refund::Manager;
use crate::road::Traffic;
use crate::world::{Options, Order, World, eur};

const PAYMENTS: usize = 20;
const OPERATIONS: usize = 200;
const AT_ONCE: usize = 8;

#[derive(Debug, Clone)]
enum Operation {
    Authorize,
    Capture,
    Reverse,
    Refund { cents: i64, key: String },
    Webhook,
    Traffic(Traffic),
}

/// The same seed makes the same schedule; what runs at once decides itself.
fn schedule(seed: u64) -> Vec<(usize, Operation)> {
    let mut random = StdRng::seed_from_u64(seed);
    let operation = |random: &mut StdRng| match random.random_range(0..100) {
        0..25 => Operation::Authorize,
        25..50 => Operation::Capture,
        50..58 => Operation::Reverse,
        58..75 => Operation::Refund {
            cents: random.random_range(1..=600),
            key: format!("key-{}", random.random_range(0..40)),
        },
        75..88 => Operation::Webhook,
        88..92 => Operation::Traffic(Traffic::LosesAnswers),
        92..95 => Operation::Traffic(Traffic::Blocked),
        _ => Operation::Traffic(Traffic::Flows),
    };
    (0..OPERATIONS).map(|_| (random.random_range(0..PAYMENTS), operation(&mut random))).collect()
}

async fn carry_out(world: &World, manager: &Manager<'_>, order: &Order, operation: Operation) {
    // Refusals and unknown outcomes are what this is about.
    match operation {
        Operation::Authorize => drop(world.authorize(order).await),
        Operation::Capture => drop(world.capture(order).await),
        Operation::Reverse => drop(world.reverse(order).await),
        Operation::Refund { cents, key } => {
            let amount = Some(eur(cents));
            let Some((id, _)) = world.payment(order).await else { return };
            let payment = pb::Payment { payment_id: id.to_string(), ..pb::Payment::default() };
            drop(manager.refund(&payment, amount, &key).await);
        }
        Operation::Webhook => {
            let Some((id, _)) = world.payment(order).await else { return };
            if world.bank.charges().await.iter().any(|c| c.payment_id == id) {
                let letter = from_provider(&world.bank.event(id).await);
                drop(world.door.hand_in_for(world.bank.name(), &letter).await);
            }
        }
        Operation::Traffic(traffic) => world.road.set(traffic),
    }
}

async fn hammer(provider: ProviderKind, seed: u64) {
    let sweep_after_millis = 300;
    let world = World::with(Options { provider, sweep_after_millis, ..Options::default() }).await;
    let manager = Manager::of(&world);
    let orders: Vec<Order> = (0..PAYMENTS).map(|_| Order::by(world.bank.good_card())).collect();
    futures::stream::iter(schedule(seed))
        .for_each_concurrent(AT_ONCE, async |(of, operation)| {
            carry_out(&world, &manager, &orders[of], operation).await;
        })
        .await;
    world.road.set(Traffic::Flows);
    // Sagas go on until they are done; a lost void may have decided otherwise.
    for order in &orders {
        testkit::eventually("the saga is done", async || {
            let Some((_, state)) = world.payment(order).await else { return Some(()) };
            if !["pending", "authorized"].contains(&state.as_str()) {
                return Some(());
            }
            drop(world.authorize(order).await);
            drop(world.capture(order).await);
            None
        })
        .await;
    }
    let open = "select (select count(*) from payments where state = 'pending')
        + (select count(*) from refunds where state = 'pending')";
    testkit::eventually(&format!("seed {seed}: all is settled"), async || {
        (world.count(open).await == 0).then_some(())
    })
    .await;
    // A charge may arrive for a payment that is over; then the sweep frees it.
    testkit::eventually(&format!("seed {seed}: nothing is set aside for nothing"), async || {
        let held = world.bank.charges().await.iter().filter(|c| c.state == "authorized").count();
        (held == 0).then_some(())
    })
    .await;
    world.money_agrees().await;
}

#[tokio::test]
async fn random_operations_leave_the_books_of_the_sandbox_agreeing() {
    hammer(ProviderKind::Sandbox, 1).await;
}

#[tokio::test]
async fn random_operations_leave_the_books_of_stripe_agreeing() {
    hammer(ProviderKind::Stripe, 2).await;
}
