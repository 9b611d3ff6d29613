//! Comparing books: every kind of difference, at every provider, and none where there
//! is none.

use std::collections::BTreeSet;

use payments::config::ProviderKind;
use proto::payments::v1::PaymentDiscrepancyKind as Kind;
use serde_json::json;
use testkit::{bearer, reason};
use time::{Duration, OffsetDateTime};
use tonic::Code;
use uuid::Uuid;

use crate::bank::Bank;
use crate::books::request;
use crate::refund::Manager;
use crate::road::Traffic;
use crate::world::{Options, Order, World, eur};

const BOTH: [ProviderKind; 2] = [ProviderKind::Sandbox, ProviderKind::Stripe];

async fn world_of(provider: ProviderKind) -> World {
    World::with(Options { provider, ..Options::default() }).await
}

fn order(world: &World) -> Order {
    Order::by(world.bank.good_card())
}

/// Changes the ledger or a payment as no code of ours does.
async fn tamper(world: &World, statement: &'static str) {
    let mut conn = world.database.pool.acquire().await.unwrap();
    sqlx::query("set session_replication_role = replica").execute(&mut *conn).await.unwrap();
    sqlx::query(statement).execute(&mut *conn).await.unwrap();
    sqlx::query("set session_replication_role = default").execute(&mut *conn).await.unwrap();
}

/// Changes a charge behind the provider's back.
async fn falsify(world: &World, charge_id: &str, sandbox: &str, stripe: (&str, serde_json::Value)) {
    match &world.bank {
        Bank::Sandbox { database, .. } => {
            let statement = format!("update charges set {sandbox} where id = '{charge_id}'");
            sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&database.pool).await.unwrap();
        }
        Bank::Stripe(double) => double.change(charge_id, stripe.0, stripe.1),
    }
}

#[tokio::test]
async fn books_agree_after_every_ending() {
    for provider in BOTH {
        let world = world_of(provider).await;
        let manager = Manager::of(&world);
        world.authorize(&order(&world)).await.unwrap();
        world.captured(&order(&world)).await;
        let part = world.captured(&order(&world)).await;
        manager.refund(&part, Some(eur(300)), "a").await.unwrap();
        let whole = order(&world);
        world.captured(&whole).await;
        world.reverse(&whole).await.unwrap();
        let voided = order(&world);
        world.authorize(&voided).await.unwrap();
        world.reverse(&voided).await.unwrap();
        let bad = if provider == ProviderKind::Stripe { "pm_declined" } else { "tok_declined" };
        world.authorize(&Order::by(bad)).await.expect_err("declined");
        world.money_agrees().await;
    }
}

#[tokio::test]
async fn charges_that_we_do_not_know_and_payments_that_the_provider_does_not() {
    for provider in BOTH {
        let world = world_of(provider).await;
        let payment = world.captured(&order(&world)).await;
        let charge = world.bank.charges().await.remove(0);
        // The provider's charge belongs to somebody else now: both sides miss one.
        let stranger = Uuid::now_v7();
        let field = format!("reference = '{stranger}'");
        falsify(&world, &charge.id, &field, ("metadata", json!({"payment_id": stranger}))).await;
        tamper(&world, "update payments set provider_charge_id = 'ch_of_ours'").await;
        let differences = world.differences().await;
        assert_eq!(
            differences,
            [(Kind::ChargeUnknown, charge.id), (Kind::PaymentUnknown, payment.payment_id)]
        );
    }
}

#[tokio::test]
async fn amounts_states_and_sums_that_differ() {
    for provider in BOTH {
        let world = world_of(provider).await;
        let (dear, open, taken, back) =
            (order(&world), order(&world), order(&world), order(&world));
        for o in [&dear, &open] {
            world.authorize(o).await.unwrap();
        }
        for o in [&taken, &back] {
            world.captured(o).await;
        }
        let id = async |o: &Order| world.payment_id(o).await.to_string();
        let charges = world.bank.charges().await;
        let charge = |id: &str| charges.iter().find(|c| c.payment_id.to_string() == id).unwrap();
        let (dear, open, back) = (id(&dear).await, id(&open).await, id(&back).await);
        falsify(&world, &charge(&dear).id, "amount_minor = 999", ("amount", json!(999))).await;
        world.bank.capture_by_hand(&charge(&open).id).await;
        world.bank.refund_by_hand(&charge(&back).id, 250).await;
        let mut expected = [
            (Kind::Amount, dear),
            (Kind::State, open.clone()),
            (Kind::Captured, open),
            (Kind::Refunded, back),
        ];
        expected.sort_by_key(|(kind, about)| (*kind as i32, about.clone()));
        assert_eq!(world.differences().await, expected);
    }
}

#[tokio::test]
async fn a_refund_of_an_old_payment_is_compared_when_it_is_made() {
    for provider in BOTH {
        let world = world_of(provider).await;
        let payment = world.captured(&order(&world)).await;
        let charge = world.bank.charges().await.remove(0);
        let old = OffsetDateTime::now_utc() - Duration::days(20);
        let created = json!(old.unix_timestamp());
        let field = "created_at = now() - interval '20 days'";
        falsify(&world, &charge.id, field, ("created", created)).await;
        tamper(&world, "update payments set created_at = now() - interval '20 days'").await;
        tamper(&world, "update ledger_transactions set created_at = now() - interval '20 days'")
            .await;
        assert_eq!(world.differences().await, []);
        world.bank.refund_by_hand(&charge.id, 250).await;
        assert_eq!(world.differences().await, [(Kind::Refunded, payment.payment_id)]);
    }
}

#[tokio::test]
async fn a_ledger_that_contradicts_its_payment_is_told() {
    let world = world_of(ProviderKind::Sandbox).await;
    let payment = world.captured(&order(&world)).await;
    tamper(&world, "update ledger_entries set debit_minor = 900 where debit_minor > 0").await;
    assert_eq!(
        world.differences().await,
        [(Kind::Captured, payment.payment_id.clone()), (Kind::Ledger, payment.payment_id)]
    );
}

#[tokio::test]
async fn what_is_under_way_is_no_difference() {
    let world = world_of(ProviderKind::Sandbox).await;
    let order = order(&world);
    world.road.set(Traffic::LosesAnswers);
    world.authorize(&order).await.expect_err("no answer");
    let id = world.payment_id(&order).await.to_string();
    // Without a grace it is one: the provider holds money, and nobody here knows.
    assert_eq!(world.differences().await, [(Kind::State, id)]);
    // It has changed a moment ago, as far as the comparison can tell.
    let later = "update payments set updated_at = now() + interval '1 hour'";
    sqlx::query(later).execute(&world.database.pool).await.unwrap();
    assert_eq!(world.differences().await, []);
}

#[tokio::test]
async fn many_charges_are_compared_page_by_page() {
    for provider in BOTH {
        let world = world_of(provider).await;
        let statement = "
            with made as (
                insert into payments (id, order_id, user_id, amount_minor, currency, state,
                    provider, provider_charge_id, created_at, updated_at)
                select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1000, 'EUR',
                    'authorized', $1, 'pi_' || n, now() - interval '30 minutes',
                    now() - interval '30 minutes'
                from generate_series(1, 250) as n
                returning id, provider_charge_id)
            select id::text, provider_charge_id from made";
        let made: Vec<(String, String)> = sqlx::query_as(statement)
            .bind(world.bank.name())
            .fetch_all(&world.database.pool)
            .await
            .unwrap();
        world.bank.charge_by_hand(&made).await;
        assert_eq!(world.differences().await, []);
        let (payment_id, charge_id) = &made[137];
        falsify(&world, charge_id, "currency = 'USD'", ("currency", json!("usd"))).await;
        assert_eq!(world.differences().await, [(Kind::Amount, payment_id.clone())]);
        if let Bank::Stripe(double) = &world.bank {
            let pages = |a: &&crate::stripe_double::Asked| !a.field("starting_after").is_empty();
            let asked = double.asked();
            let last = asked.iter().rfind(pages).expect("further pages");
            assert_eq!((last.path.as_str(), last.field("limit")), ("/v1/payment_intents", "100"));
            assert!(
                !last.field("created[gte]").is_empty() && !last.field("created[lt]").is_empty()
            );
            // Perhaps twice: the round that is made at every start may see it, too.
            let by_id = asked.iter().filter(|a| a.path.starts_with("/v1/payment_intents/pi_"));
            let looked_up: BTreeSet<&str> = by_id.map(|a| a.path.as_str()).collect();
            let differs = format!("/v1/payment_intents/{charge_id}");
            assert_eq!(looked_up, [differs.as_str()].into(), "only what differs");
        }
    }
}

#[tokio::test]
async fn a_window_is_bounded_and_a_page_token_belongs_to_it() {
    let world = World::start().await;
    let now = OffsetDateTime::now_utc();
    for (start, end) in [
        (now, now),
        (now, now - Duration::hours(1)),
        (now - Duration::days(31) - Duration::seconds(1), now),
    ] {
        let refused = world.reconcile(start, end).await.expect_err("refused");
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::InvalidArgument, "WINDOW_INVALID")
        );
    }
    world.reconcile(now - Duration::days(31), now).await.expect("a month");
    let admin = world.platform.token(Uuid::now_v7(), &["admin"]);
    let elsewhere = types::PageToken::encode(&(now.unix_timestamp() + 1));
    for token in ["nobody gave this out", &elsewhere] {
        let asked = bearer(request(now - Duration::hours(1), now, token), &admin);
        let refused = world.people.clone().reconcile_payments(asked).await.expect_err("refused");
        assert_eq!(reason(&refused), "PAGE_TOKEN_INVALID");
    }
}

#[tokio::test]
async fn only_admins_compare_and_a_dead_provider_is_told() {
    let world = World::start().await;
    let now = OffsetDateTime::now_utc();
    let manager = world.platform.token(Uuid::now_v7(), &["manager"]);
    let asked = bearer(request(now - Duration::hours(1), now, ""), &manager);
    let refused = world.people.clone().reconcile_payments(asked).await.expect_err("refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    world.road.set(Traffic::Blocked);
    let failed = world.reconcile(now - Duration::hours(1), now).await.expect_err("no provider");
    assert_eq!(reason(&failed), "PROVIDER_UNAVAILABLE");
}
