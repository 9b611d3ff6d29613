//! `stoactl payments`: our books beside the provider's.

use anyhow::{Context as _, Result};
use prost_types::Timestamp;
use proto::payments::v1::payment_service_client::PaymentServiceClient;
use proto::payments::v1::{
    PaymentDiscrepancy, ReconcilePaymentsRequest, ReconcilePaymentsResponse,
};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::failure::failure;
use crate::output::{Output, table, word};
use crate::session::Session;

/// What can be done with payments.
#[derive(clap::Subcommand)]
pub enum Payments {
    /// Compares the ledger with the provider's own books; changes nothing.
    Reconcile {
        /// How far back, in hours; at most 744.
        #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=744))]
        hours: u32,
        /// Up to when, as `2026-11-21T15:00:00Z`; otherwise now.
        #[arg(long, value_parser = moment)]
        until: Option<OffsetDateTime>,
    },
}

impl Payments {
    pub async fn run(self, session: &Session, output: &Output) -> Result<()> {
        let Self::Reconcile { hours, until } = self;
        let end = until.unwrap_or_else(OffsetDateTime::now_utc);
        let all = all(session, end - Duration::hours(i64::from(hours)), end).await?;
        output.show("stoa.payments.v1.ReconcilePaymentsResponse", &all, told)
    }
}

/// Page after page.
async fn all(
    session: &Session,
    start: OffsetDateTime,
    end: OffsetDateTime,
) -> Result<ReconcilePaymentsResponse> {
    let mut client = PaymentServiceClient::new(session.channel("payments")?);
    let mut all = ReconcilePaymentsResponse::default();
    loop {
        let request = ReconcilePaymentsRequest {
            start_time: Some(timestamp(start)),
            end_time: Some(timestamp(end)),
            page_token: std::mem::take(&mut all.next_page_token),
        };
        let page = client.reconcile_payments(session.request(request)?).await.map_err(failure)?;
        let page = page.into_inner();
        all.discrepancies.extend(page.discrepancies);
        all.compared_count += page.compared_count;
        all.unsettled_count += page.unsettled_count;
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        all.next_page_token = page.next_page_token;
    }
}

fn told(all: &ReconcilePaymentsResponse) -> String {
    let (compared, unsettled) = (all.compared_count, all.unsettled_count);
    let sum = format!("{compared} compared, {unsettled} not settled yet");
    if all.discrepancies.is_empty() {
        return format!("no differences; {sum}");
    }
    let rows = all.discrepancies.iter().map(row).collect();
    let header = ["DIFFERS", "PAYMENT", "ORDER", "CHARGE", "HERE", "THERE"];
    format!("{}\n\n{} differences; {sum}", table(header, rows), all.discrepancies.len())
}

fn row(discrepancy: &PaymentDiscrepancy) -> [String; 6] {
    let PaymentDiscrepancy { kind: _, payment_id, order_id, charge_id, recorded, provided } =
        discrepancy.clone();
    let kind = word(discrepancy.kind().as_str_name(), "PAYMENT_DISCREPANCY_KIND");
    [kind, payment_id, order_id, charge_id, recorded, provided]
}

fn timestamp(at: OffsetDateTime) -> Timestamp {
    grpc::convert::timestamp(at)
}

fn moment(text: &str) -> Result<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).context("expected a time as 2026-11-21T15:00:00Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_rows_and_none_are_said_to_be_none() {
        let nothing = ReconcilePaymentsResponse { compared_count: 7, ..Default::default() };
        assert_eq!(told(&nothing), "no differences; 7 compared, 0 not settled yet");
        let differs = PaymentDiscrepancy {
            kind: proto::payments::v1::PaymentDiscrepancyKind::Refunded.into(),
            payment_id: "p".to_owned(),
            recorded: "0".to_owned(),
            provided: "250".to_owned(),
            ..Default::default()
        };
        let text = told(&ReconcilePaymentsResponse { discrepancies: vec![differs], ..nothing });
        assert!(text.contains("refunded  p"), "{text}");
        assert!(text.ends_with("1 differences; 7 compared, 0 not settled yet"), "{text}");
    }

    #[test]
    fn a_time_is_rfc_3339() {
        assert!(moment("2026-11-21T15:00:00Z").is_ok());
        assert!(moment("yesterday").is_err());
    }
}
