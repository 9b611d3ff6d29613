//! What is kept of a person, and what is left after erasure.

use proto::payments::v1::personal_data_service_client::PersonalDataServiceClient;
use proto::payments::v1::{ErasePersonalDataRequest, ExportPersonalDataRequest};
use serde_json::{Value, json};
use testkit::{bearer, eventually, places_of, reason, with_key};
use tonic::Code;
use uuid::Uuid;

use crate::bank::from_provider;
use crate::road::Traffic;
use crate::world::{Options, Order, World, eur};

impl World {
    async fn export(&self, user: Uuid) -> Option<Value> {
        let request = ExportPersonalDataRequest { user_id: user.to_string() };
        let json = self.personal("identity").export_personal_data(request).await.unwrap();
        let json = json.into_inner().json;
        (!json.is_empty()).then(|| serde_json::from_str(&json).unwrap())
    }

    async fn erase(&self, user: Uuid) -> bool {
        let request = ErasePersonalDataRequest { user_id: user.to_string() };
        let answer = self.personal("identity").erase_personal_data(request).await;
        answer.unwrap().into_inner().complete
    }

    /// As identity does: again and again.
    async fn erase_completely(&self, user: Uuid) {
        eventually("a complete erasure", async || self.erase(user).await.then_some(())).await;
    }

    fn personal(&self, workload: &str) -> PersonalDataServiceClient<grpc::MeshChannel> {
        PersonalDataServiceClient::new(self.platform.channel(workload, self.addr, "payments"))
    }

    /// Nothing in any table names the users or carries a mark, but for the tombstones.
    async fn assert_forgotten(&self, users: &[Uuid], marks: &[&str]) {
        let ids = users.iter().map(Uuid::to_string);
        let values: Vec<_> = ids.chain(marks.iter().map(ToString::to_string)).collect();
        let found = places_of(&self.database.pool, &values).await;
        let tombstones: Vec<_> =
            users.iter().map(|user| format!("public.erased_users: {user}")).collect();
        assert_eq!(found, tombstones);
    }

    async fn refund(&self, user: Uuid, order: &Order, key: &str) -> Result<(), tonic::Status> {
        let message = proto::payments::v1::RefundPaymentRequest {
            payment_id: self.payment_id(order).await.to_string(),
            amount: Some(eur(250)),
            reason: "it was broken".to_owned(),
        };
        let token = self.platform.token(user, &["manager"]);
        let request = with_key(bearer(message, &token), key);
        self.people.clone().refund_payment(request).await.map(drop)
    }
}

#[tokio::test]
async fn money_stays_in_the_books_and_nothing_names_who_paid_or_gave_it_back() {
    let world = World::with(Options { webhooks: true, ..Options::default() }).await;
    let (order, manager) = (Order::by("tok_visa"), Uuid::now_v7());
    world.captured(&order).await;
    world.refund(manager, &order, "Zanzibar-key").await.unwrap();
    let users = [order.user_id, manager];
    let values = users.map(|user| user.to_string());
    assert!(places_of(&world.database.pool, &values).await.len() >= 3, "they are there");
    let books = async || {
        let entries = "select string_agg(concat_ws(' ', transaction_id, account, debit_minor,
            credit_minor, currency), ',' order by id) from ledger_entries";
        sqlx::query_scalar::<_, String>(entries).fetch_one(&world.database.pool).await.unwrap()
    };
    let before = books().await;

    for user in users {
        world.erase_completely(user).await;
        assert!(world.erase(user).await, "and again");
    }
    world.assert_forgotten(&users, &["Zanzibar-key", "tok_visa"]).await;
    assert_eq!(books().await, before);
    assert_eq!(world.count("select count(*) from payment_accounts where not agrees").await, 0);
    let refund = "select count(*) from refunds where amount_minor = 250 and reason <> ''";
    assert_eq!(world.count(refund).await, 1);
    let owner = "select user_id from payments where erased_at is not null";
    let owner: Uuid = sqlx::query_scalar(owner).fetch_one(&world.database.pool).await.unwrap();
    assert_eq!(owner.get_version_num(), 4, "no user has such an id");
}

#[tokio::test]
async fn money_that_is_not_settled_keeps_its_owner_until_it_is() {
    let world = World::start().await;
    let (authorized, pending) = (Order::by("tok_visa"), Order::by("tok_visa"));
    world.authorize(&authorized).await.unwrap();
    assert!(!world.erase(authorized.user_id).await, "it is set aside");
    world.capture(&authorized).await.unwrap();
    world.erase_completely(authorized.user_id).await;

    world.road.set(Traffic::Blocked);
    world.authorize(&pending).await.expect_err("no answer");
    assert!(!world.erase(pending.user_id).await, "nobody knows what became of it");
    world.road.set(Traffic::Flows);
    world.authorize(&pending).await.expect("an order that was begun is gone on with");
    world.reverse(&pending).await.unwrap();
    world.erase_completely(pending.user_id).await;
    world.assert_forgotten(&[authorized.user_id, pending.user_id], &[]).await;
}

#[tokio::test]
async fn what_a_provider_tells_is_kept_until_it_is_handled_and_no_longer() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    let payment = world.captured(&order).await;
    let payment_id: Uuid = payment.payment_id.parse().unwrap();
    let mut event = world.bank.event(payment_id).await;
    event["data"]["card_holder"] = json!("Zanzibar Lovelace");
    world.door.hand_in(&from_provider(&event)).await.unwrap();
    world.assert_forgotten(&[], &["Zanzibar"]).await;
    world.door.hand_in(&from_provider(&event)).await.expect("it is known, and not handled twice");

    event["id"] = json!("evt_later");
    sqlx::query(
        "insert into webhook_events (provider, event_id, type, body, payment_id, check_at)
         values ('sandbox', 'evt_later', 'x', $1, $2, now() + interval '1 hour')",
    )
    .bind(event.to_string().into_bytes())
    .bind(payment_id)
    .execute(&world.database.pool)
    .await
    .unwrap();
    assert!(!world.erase(order.user_id).await, "something about the payment is to be handled");
    let due = "update webhook_events set check_at = now() where event_id = 'evt_later'";
    sqlx::query(due).execute(&world.database.pool).await.unwrap();
    world.erase_completely(order.user_id).await;
    world.assert_forgotten(&[order.user_id], &["Zanzibar"]).await;
}

#[tokio::test]
async fn whoever_was_erased_neither_pays_nor_gives_money_back() {
    let world = World::start().await;
    let (order, manager) = (Order::by("tok_visa"), Uuid::now_v7());
    world.captured(&order).await;
    let late = Order::by("tok_visa");
    assert!(world.erase(late.user_id).await, "nothing was kept");
    assert!(world.erase(manager).await);
    let refused = world.authorize(&late).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::FailedPrecondition, "PAYMENT_CLOSED")
    );
    let refused = world.refund(manager, &order, "k").await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Unauthenticated, "TOKEN_INVALID")
    );
    assert_eq!(world.balance("refunds").await, 0);
    world.assert_forgotten(&[late.user_id, manager], &[]).await;
}

#[tokio::test]
async fn a_payment_begun_before_the_erasure_commits_is_waited_for_and_found() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    // The order is locked and its payment is not written down: in the middle.
    let mut between = postgres::begin(&world.database.pool).await.unwrap();
    let lock = "lock table payments in exclusive mode";
    sqlx::query(lock).execute(&mut *between).await.unwrap();
    let erasing = async {
        lock_is(&world, true).await;
        let letting_go = async {
            lock_is(&world, false).await;
            between.rollback().await.unwrap();
        };
        tokio::join!(world.erase(order.user_id), letting_go).0
    };
    let (paid, complete) = tokio::join!(world.authorize(&order), erasing);
    paid.expect("it was begun in time");
    assert!(!complete, "its money is not settled");
    world.capture(&order).await.unwrap();
    world.erase_completely(order.user_id).await;
    world.assert_forgotten(&[order.user_id], &[]).await;
}

#[tokio::test]
async fn a_refund_that_is_settled_as_the_erasure_comes_is_waited_for_with_its_fact() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    world.captured(&order).await;
    // The payment is changed, and its fact is not in the outbox: in the middle.
    let mut between = postgres::begin(&world.database.pool).await.unwrap();
    let lock = "lock table ledger_entries in exclusive mode";
    sqlx::query(lock).execute(&mut *between).await.unwrap();
    let manager = Uuid::now_v7();
    let erasing = async {
        waiting_for(&world, "relation").await;
        let letting_go = async {
            waiting_for(&world, "transactionid").await;
            between.rollback().await.unwrap();
        };
        tokio::join!(world.erase(order.user_id), letting_go).0
    };
    let (refunded, complete) = tokio::join!(world.refund(manager, &order, "k"), erasing);
    refunded.unwrap();
    if complete {
        // The fact was published before, or it would be found now.
        world.assert_forgotten(&[order.user_id], &[]).await;
    }
    world.erase_completely(order.user_id).await;
    world.assert_forgotten(&[order.user_id], &[]).await;
}

/// Waits until somebody on this database waits for such a lock.
async fn waiting_for(world: &World, kind: &'static str) {
    // A lock on a transaction is of no database; whoever waits for it is.
    let waiting = "select exists (
        select from pg_locks join pg_stat_activity using (pid)
        where datname = current_database() and locktype = $1 and not granted)";
    eventually(&format!("somebody waits for a lock: {kind}"), async || {
        let waiting = sqlx::query_scalar::<_, bool>(waiting).bind(kind);
        waiting.fetch_one(&world.database.pool).await.unwrap().then_some(())
    })
    .await;
}

/// Waits until somebody holds the lock of erasure, or waits for it.
async fn lock_is(world: &World, granted: bool) {
    let lock = "select exists (
        select from pg_locks join pg_database on pg_database.oid = pg_locks.database
        where datname = current_database() and locktype = 'advisory'
            and classid = 1701994867 and granted = $1)";
    eventually(&format!("the lock of erasure; granted: {granted}"), async || {
        let lock = sqlx::query_scalar::<_, bool>(lock).bind(granted);
        lock.fetch_one(&world.database.pool).await.unwrap().then_some(())
    })
    .await;
}

/// Begins a little later.
async fn after<T>(turns: u32, what: impl Future<Output = T>) -> T {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
    what.await
}

#[tokio::test]
async fn payments_and_refunds_that_race_with_an_erasure_are_refused_or_found_by_the_next_call() {
    let world = World::start().await;
    let (mut done, mut refused) = (0, 0);
    for round in 0..24_u32 {
        let (order, manager) = (Order::by("tok_visa"), Uuid::now_v7());
        let paid = Order { user_id: manager, ..Order::by("tok_visa") };
        world.captured(&paid).await;
        // Now the one begins earlier, now the other.
        let (first, second) = if round % 2 == 0 { (0, round * 25) } else { (round * 25, 0) };
        let (paying, giving_back, ..) = tokio::join!(
            after(first, world.authorize(&order)),
            after(first, world.refund(manager, &paid, "k")),
            after(second, world.erase(order.user_id)),
            after(second, world.erase(manager)),
        );
        for (answer, why) in [(paying.map(drop), "PAYMENT_CLOSED"), (giving_back, "TOKEN_INVALID")]
        {
            match answer {
                Ok(()) => done += 1,
                Err(status) => {
                    assert_eq!(reason(&status), why, "{status}");
                    refused += 1;
                }
            }
        }
        world.reverse(&order).await.unwrap();
        for user in [order.user_id, manager] {
            world.erase_completely(user).await;
        }
        world.assert_forgotten(&[order.user_id, manager], &[]).await;
    }
    println!("{done} were done, {refused} refused");
    assert!(done > 0 && refused > 0);
    assert_eq!(world.count("select count(*) from payment_accounts where not agrees").await, 0);
}

#[tokio::test]
async fn an_export_has_payments_and_refunds_in_the_contracts_form() {
    let world = World::start().await;
    let (order, manager) = (Order::by("tok_visa"), Uuid::now_v7());
    assert_eq!(world.export(order.user_id).await, None);
    let payment = world.captured(&order).await;
    world.refund(manager, &order, "k").await.unwrap();
    let export = world.export(order.user_id).await.unwrap();
    let entry = &export["payments"][0];
    assert_eq!(entry["payment_id"], payment.payment_id);
    assert_eq!(entry["state"], "PAYMENT_STATE_PARTIALLY_REFUNDED");
    assert_eq!(entry["amount"], json!({"currency_code": "EUR", "units": "10", "nanos": 0}));
    assert!(entry["provider_charge_id"].as_str().is_some_and(|id| !id.is_empty()), "{entry}");
    let refund = &export["refunds"][0];
    assert_eq!(refund["amount"]["units"], "2");
    assert_eq!(
        (&refund["state"], &refund["requested_by_you"]),
        (&json!("succeeded"), &json!(false))
    );
    let export = world.export(manager).await.unwrap();
    assert_eq!(export.get("payments"), None);
    assert_eq!(export["refunds"][0]["requested_by_you"], true);
    world.erase_completely(order.user_id).await;
    assert_eq!(world.export(order.user_id).await, None);
}

#[tokio::test]
async fn only_identity_asks_for_personal_data() {
    let world = World::start().await;
    for workload in ["edge", "tools", "orders"] {
        let request = ErasePersonalDataRequest { user_id: Uuid::now_v7().to_string() };
        let refused = world.personal(workload).erase_personal_data(request).await.unwrap_err();
        assert_eq!(reason(&refused), "CALLER_NOT_ALLOWED", "{workload}");
    }
}
