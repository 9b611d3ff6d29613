//! Money agrees: at the provider, in the ledger, and between the two.

use proto::payments::v1 as pb;
use proto::payments::v1::PaymentDiscrepancyKind;
use testkit::bearer;
use time::{Duration, OffsetDateTime};
use tonic::Status;
use uuid::Uuid;

use crate::world::World;

/// What differs: the kind and whom it is about, in the order of the kinds.
pub type Differences = Vec<(PaymentDiscrepancyKind, String)>;

impl World {
    /// Asserts that every payment agrees with its ledger, that each transaction
    /// balances, that the provider's net is the ledger's net, payment by payment, that
    /// nothing is set aside for a payment that does not know of it, and that comparing
    /// the books comes to the same.
    pub async fn money_agrees(&self) {
        let disagree = "select count(*) from payment_accounts where not agrees";
        assert_eq!(self.count(disagree).await, 0, "payments that disagree with the ledger");
        let unbalanced = "select count(*) from (
            select 1 from ledger_transactions t left join ledger_entries e
                on e.transaction_id = t.id
            group by t.id
            having count(e.id) < 2 or sum(e.debit_minor) <> sum(e.credit_minor)) as t";
        assert_eq!(self.count(unbalanced).await, 0, "transactions that do not balance");
        let mut net_of_provider = 0;
        for charge in self.bank.charges().await {
            let net = charge.captured_minor - charge.refunded_minor;
            let (state, ours): (String, i64) = sqlx::query_as(
                "select p.state, a.booked_captured_minor - a.booked_refunded_minor
                 from payments p join payment_accounts a on a.payment_id = p.id
                 where p.id = $1",
            )
            .bind(charge.payment_id)
            .fetch_one(&self.database.pool)
            .await
            .expect("a payment for every charge");
            assert_eq!(net, ours, "{charge:?}, here {state}");
            if charge.state == "authorized" {
                assert_eq!(state, "authorized", "{charge:?} is set aside for nothing");
            }
            net_of_provider += net;
        }
        assert_eq!(net_of_provider, self.balance("provider_receivable").await);
        assert_eq!(self.differences().await, []);
    }

    /// What comparing the last hour finds.
    pub async fn differences(&self) -> Differences {
        let now = OffsetDateTime::now_utc();
        let hour = Duration::hours(1);
        let found = self.reconcile(now - hour, now + hour).await.expect("compared");
        let mut found: Differences = found
            .into_iter()
            .map(|d| {
                let about = if d.payment_id.is_empty() { &d.charge_id } else { &d.payment_id };
                (d.kind(), about.clone())
            })
            .collect();
        found.sort_by_key(|(kind, about)| (*kind as i32, about.clone()));
        found
    }

    /// Every page of a comparison, as an admin asks for it.
    pub async fn reconcile(
        &self,
        start: OffsetDateTime,
        end: OffsetDateTime,
    ) -> Result<Vec<pb::PaymentDiscrepancy>, Status> {
        let (mut found, mut page_token) = (Vec::new(), String::new());
        loop {
            let message = request(start, end, &page_token);
            let admin = self.platform.token(Uuid::now_v7(), &["admin"]);
            let request = bearer(message, &admin);
            let page = self.people.clone().reconcile_payments(request).await?.into_inner();
            found.extend(page.discrepancies);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(found);
            }
        }
    }
}

pub fn request(
    start: OffsetDateTime,
    end: OffsetDateTime,
    page_token: &str,
) -> pb::ReconcilePaymentsRequest {
    pb::ReconcilePaymentsRequest {
        start_time: Some(grpc::convert::timestamp(start)),
        end_time: Some(grpc::convert::timestamp(end)),
        page_token: page_token.to_owned(),
    }
}
