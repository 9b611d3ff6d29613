//! Reservations: every step once, twice, and in the wrong order.

use testkit::{fields, reason};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::world::World;

fn assert_closed(answer: Result<impl std::fmt::Debug, Status>) {
    let refused = answer.unwrap_err();
    let told = (refused.code(), reason(&refused));
    assert_eq!(told, (Code::FailedPrecondition, "RESERVATION_CLOSED".to_owned()));
}

#[tokio::test]
async fn a_sale_goes_from_available_over_reserved_to_gone() {
    let world = World::start().await;
    let (a, b) = (world.stocked(10).await, world.stocked(10).await);
    let order = Uuid::now_v7();
    world.reserve(order, &[(a, 3), (b, 10)]).await.unwrap();
    assert_eq!((world.level(a).await, world.level(b).await), ((7, 3), (0, 10)));
    world.commit(order).await.unwrap();
    assert_eq!((world.level(a).await, world.level(b).await), ((7, 0), (0, 0)));
}

#[tokio::test]
async fn reserving_again_has_no_effect_and_the_same_expiry() {
    let world = World::start().await;
    let (product, order) = (world.stocked(10).await, Uuid::now_v7());
    let first = world.reserve(order, &[(product, 3)]).await.unwrap();
    let again = world.reserve_for(order, &[(product, 3)], 60).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(world.level(product).await, (7, 3));
}

#[tokio::test]
async fn committing_again_has_no_effect() {
    let world = World::start().await;
    let (product, order) = (world.stocked(10).await, Uuid::now_v7());
    world.reserve(order, &[(product, 3)]).await.unwrap();
    world.commit(order).await.unwrap();
    world.commit(order).await.unwrap();
    assert_eq!(world.level(product).await, (7, 0));
    assert_closed(world.reserve(order, &[(product, 3)]).await);
}

#[tokio::test]
async fn releasing_puts_back_what_was_reserved_once() {
    let world = World::start().await;
    let (product, order) = (world.stocked(10).await, Uuid::now_v7());
    world.reserve(order, &[(product, 3)]).await.unwrap();
    world.release(order).await.unwrap();
    world.release(order).await.unwrap();
    assert_eq!(world.level(product).await, (10, 0));
    assert_closed(world.commit(order).await);
    assert_closed(world.reserve(order, &[(product, 3)]).await);
}

#[tokio::test]
async fn releasing_puts_back_what_was_sold_once() {
    let world = World::start().await;
    let (product, order) = (world.stocked(10).await, Uuid::now_v7());
    world.reserve(order, &[(product, 3)]).await.unwrap();
    world.commit(order).await.unwrap();
    world.release(order).await.unwrap();
    world.release(order).await.unwrap();
    assert_eq!(world.level(product).await, (10, 0));
    assert_closed(world.commit(order).await);
}

#[tokio::test]
async fn an_order_that_was_released_first_gets_nothing_later() {
    let world = World::start().await;
    let (product, order) = (world.stocked(10).await, Uuid::now_v7());
    world.release(order).await.unwrap();
    world.release(order).await.unwrap();
    assert_closed(world.reserve(order, &[(product, 3)]).await);
    assert_closed(world.commit(order).await);
    assert_eq!(world.level(product).await, (10, 0));
}

#[tokio::test]
async fn an_order_without_a_reservation_cannot_be_committed() {
    let world = World::start().await;
    let refused = world.commit(Uuid::now_v7()).await.unwrap_err();
    let told = (refused.code(), reason(&refused));
    assert_eq!(told, (Code::NotFound, "RESERVATION_NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn a_refusal_names_each_short_product_and_takes_nothing() {
    let world = World::start().await;
    let (plenty, few, unknown) = (world.stocked(10).await, world.stocked(2).await, Uuid::now_v7());
    let order = Uuid::now_v7();
    let lines = [(unknown, 1), (plenty, 5), (few, 3)];
    let refused = world.reserve(order, &lines).await.unwrap_err();
    let told = (refused.code(), reason(&refused));
    assert_eq!(told, (Code::FailedPrecondition, "STOCK_INSUFFICIENT".to_owned()));
    assert_eq!(fields(&refused), ["lines[0].quantity", "lines[2].quantity"]);
    let violations = refused.get_details_bad_request().unwrap().field_violations;
    let text = format!("product {few}: 3 pieces wanted, 2 available");
    assert_eq!(violations[1].description, text);
    assert_eq!((world.level(plenty).await, world.level(few).await), ((10, 0), (2, 0)));

    // Nothing is left of the refusal: the order may try again.
    world.adjust(few, 1).await.unwrap();
    world.reserve(order, &lines[1..]).await.unwrap();
    assert_eq!(world.level(few).await, (0, 3));
}

#[tokio::test]
async fn lines_of_one_product_count_together() {
    let world = World::start().await;
    let product = world.stocked(5).await;
    let refused = world.reserve(Uuid::now_v7(), &[(product, 3), (product, 3)]).await.unwrap_err();
    assert_eq!(fields(&refused), ["lines[0].quantity"]);
    world.reserve(Uuid::now_v7(), &[(product, 3), (product, 2)]).await.unwrap();
    assert_eq!(world.level(product).await, (0, 5));
}

#[tokio::test]
async fn the_same_order_reserved_many_times_at_once_has_one_effect() {
    let world = World::start().await;
    let (product, order) = (world.stocked(100).await, Uuid::now_v7());
    let lines = [(product, 3)];
    let all = (0..16).map(|_| world.reserve(order, &lines));
    let answers = futures::future::join_all(all).await;
    let first = answers[0].as_ref().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == first));
    assert_eq!(world.level(product).await, (97, 3));
}

#[tokio::test]
async fn commit_and_release_at_once_end_in_one_state() {
    let world = World::start().await;
    let product = world.stocked(20).await;
    for _ in 0..20 {
        let order = Uuid::now_v7();
        world.reserve(order, &[(product, 1)]).await.unwrap();
        let (committed, released) = tokio::join!(world.commit(order), world.release(order));
        // Whoever was first, the release is the last word.
        released.unwrap();
        if committed.is_err() {
            assert_closed(committed);
        }
        assert_eq!(world.level(product).await, (20, 0));
    }
}
