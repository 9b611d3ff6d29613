//! The provider did what it was asked for, and its answer is lost.

use payments::config::ProviderKind;
use testkit::reason;

use super::{at_every_provider, swept_world_of, world_of};
use crate::road::Traffic;
use crate::world::{Options, World};

at_every_provider! {
    a_charge_found_by_query
    a_charge_found_by_asking_again
    a_capture_asked_for_again
    a_void_asked_for_again
    a_refund_asked_for_again
    a_refund_settled_by_the_sweep
    a_refund_settled_by_its_webhook
    a_capture_that_is_reversed
    a_provider_that_times_out_and_charged
}

async fn unknown<T: std::fmt::Debug>(answer: Result<T, tonic::Status>) {
    assert_eq!(reason(&answer.expect_err("no answer")), "PROVIDER_UNAVAILABLE");
}

async fn a_charge_found_by_query(provider: ProviderKind) {
    let world = swept_world_of(provider).await;
    let order = world.order();
    world.road.set(Traffic::LosesAnswers);
    unknown(world.authorize(&order).await).await;
    // Questions are answered, changes are not: the sweep asks a question.
    world.becomes(&order, "authorized").await;
    world.ends_as(&order, "authorized", "authorized", &["authorized"]).await;
}

async fn a_charge_found_by_asking_again(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = world.order();
    world.road.set(Traffic::LosesAnswers);
    unknown(world.authorize(&order).await).await;
    world.road.set(Traffic::Flows);
    world.authorize(&order).await.unwrap();
    world.ends_as(&order, "authorized", "authorized", &["authorized"]).await;
}

async fn a_provider_that_times_out_and_charged(provider: ProviderKind) {
    let options = Options { provider, patience_millis: 400, ..Options::default() };
    let world = World::with(options).await;
    let order = world.order();
    world.road.set(Traffic::HoldsAnswers);
    unknown(world.authorize(&order).await).await;
    world.bank_has("authorized").await;
    world.road.set(Traffic::Flows);
    world.road.release();
    world.reverse(&order).await.unwrap();
    world.ends_as(&order, "voided", "voided", &["authorized"]).await;
}

async fn a_capture_asked_for_again(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = world.order();
    world.authorize(&order).await.unwrap();
    world.road.set(Traffic::LosesAnswers);
    unknown(world.capture(&order).await).await;
    world.bank_has("captured").await;
    world.road.set(Traffic::Flows);
    world.capture(&order).await.unwrap();
    world.ends_as(&order, "captured", "captured", &["authorized", "captured"]).await;
}

async fn a_void_asked_for_again(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = world.order();
    world.authorize(&order).await.unwrap();
    world.road.set(Traffic::LosesAnswers);
    unknown(world.reverse(&order).await).await;
    world.bank_has("voided").await;
    world.road.set(Traffic::Flows);
    world.reverse(&order).await.unwrap();
    world.ends_as(&order, "voided", "voided", &["authorized"]).await;
}

/// A refund was made, and nobody here knows.
async fn refund_lost(world: &World) -> crate::world::Order {
    let order = world.order();
    world.captured(&order).await;
    world.road.set(Traffic::LosesAnswers);
    unknown(world.reverse(&order).await).await;
    world.bank_has("refunded").await;
    world.road.set(Traffic::Flows);
    order
}

const REFUNDED: [&str; 3] = ["authorized", "captured", "refunded"];

async fn a_refund_asked_for_again(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = refund_lost(&world).await;
    world.reverse(&order).await.unwrap();
    world.ends_as(&order, "refunded", "refunded", &REFUNDED).await;
}

async fn a_refund_settled_by_the_sweep(provider: ProviderKind) {
    let world = swept_world_of(provider).await;
    let order = refund_lost(&world).await;
    world.becomes(&order, "refunded").await;
    world.ends_as(&order, "refunded", "refunded", &REFUNDED).await;
}

async fn a_refund_settled_by_its_webhook(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = refund_lost(&world).await;
    world.hand_in(&world.letter_about(&order).await).await.unwrap();
    world.ends_as(&order, "refunded", "refunded", &REFUNDED).await;
}

async fn a_capture_that_is_reversed(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = world.order();
    world.authorize(&order).await.unwrap();
    world.road.set(Traffic::LosesAnswers);
    unknown(world.capture(&order).await).await;
    world.road.set(Traffic::Flows);
    world.reverse(&order).await.unwrap();
    world.ends_as(&order, "refunded", "refunded", &REFUNDED).await;
}
