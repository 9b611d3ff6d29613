//! What the ledger does not let anybody write, whoever it is.

use testkit::TestDatabase;
use uuid::Uuid;

use crate::world::{Order, World};

/// Why a transaction with these statements cannot be committed.
async fn refused(database: &TestDatabase, statements: &[&str], payment: Uuid) -> String {
    let mut tx = postgres::begin(&database.pool).await.unwrap();
    for statement in statements {
        let statement = statement.replace("$payment", &format!("'{payment}'"));
        let done = sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *tx).await;
        if let Err(error) = done {
            return name_of(&error);
        }
    }
    name_of(&tx.commit().await.expect_err("refused"))
}

fn name_of(error: &sqlx::Error) -> String {
    let error = error.as_database_error().expect("from the database");
    error.constraint().map_or_else(|| error.message().to_owned(), ToOwned::to_owned)
}

const TRANSACTION: &str = "insert into ledger_transactions (id, payment_id)
    values ('00000000-0000-7000-8000-000000000001', $payment)";

fn entry(account: &str, side: &str, currency: &str) -> String {
    format!(
        "insert into ledger_entries (transaction_id, account, {side}_minor, currency)
         values ('00000000-0000-7000-8000-000000000001', '{account}', 1000, '{currency}')"
    )
}

#[tokio::test]
async fn a_payment_and_its_ledger_cannot_be_committed_apart() {
    let world = World::start().await;
    let payment = world.authorize(&Order::by("tok_visa")).await.unwrap();
    let id = payment.payment_id.parse().unwrap();
    let captured = "update payments set state = 'captured' where id = $payment";
    let refunded = "update payments set state = 'refunded', refunded_minor = 1000
        where id = $payment";
    let reserved = "update payments set refunding_minor = 1 where id = $payment";
    let (debit, credit) =
        (entry("provider_receivable", "debit", "EUR"), entry("sales", "credit", "EUR"));
    let (dollars, other_dollars) =
        (entry("provider_receivable", "debit", "USD"), entry("sales", "credit", "USD"));
    let cases: [&[&str]; 6] = [
        &[captured],
        &[refunded],
        &[reserved],
        &[TRANSACTION, &debit, &credit],
        &[captured, TRANSACTION],
        &[captured, TRANSACTION, &dollars, &other_dollars],
    ];
    for statements in cases {
        let constraint = refused(&world.database, statements, id).await;
        assert_eq!(constraint, "payments_agree_with_ledger", "{statements:?}");
    }
    let lopsided = refused(&world.database, &[captured, TRANSACTION, &debit], id).await;
    let either = ["payments_agree_with_ledger", "ledger_entries_balance"];
    assert!(either.contains(&lopsided.as_str()), "{lopsided}");
    // And what the service does is allowed.
    let mut tx = postgres::begin(&world.database.pool).await.unwrap();
    for statement in [captured, TRANSACTION, &debit, &credit] {
        let statement = statement.replace("$payment", &format!("'{id}'"));
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.expect("they agree");
}

#[tokio::test]
async fn nothing_that_was_booked_is_changed_or_removed() {
    let world = World::start().await;
    let payment = world.captured(&Order::by("tok_visa")).await;
    let id = payment.payment_id.parse().unwrap();
    for statement in [
        "update ledger_entries set account = 'sales'",
        "delete from ledger_entries",
        "truncate ledger_entries",
        "update ledger_transactions set created_at = now()",
        "delete from ledger_transactions",
        "truncate ledger_transactions cascade",
    ] {
        let why = refused(&world.database, &[statement], id).await;
        assert!(why.contains("append-only"), "{statement}: {why}");
    }
    let removed = refused(&world.database, &["delete from payments"], id).await;
    assert_eq!(removed, "ledger_transactions_payment_id_fkey");
    world.money_agrees().await;
}
