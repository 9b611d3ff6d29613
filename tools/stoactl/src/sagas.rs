//! `stoactl sagas`: what is stuck, why, and what to do about it.

use anyhow::Result;
use grpc::MeshChannel;
use proto::orders::v1::saga_service_client::SagaServiceClient;
use proto::orders::v1::{
    CompensateSagaRequest, GetSagaRequest, ListSagasRequest, ListSagasResponse, RetrySagaRequest,
    Saga, SagaFilter,
};

use crate::failure::failure;
use crate::output::{Output, facts, moment, table, word};
use crate::session::Session;

/// What can be done with sagas.
#[derive(clap::Subcommand)]
pub enum Sagas {
    /// Sagas that have not ended, oldest first.
    List {
        /// Only those whose deadline has passed.
        #[arg(long)]
        overdue: bool,
        /// Only those that a process drives now.
        #[arg(long, conflicts_with = "overdue")]
        running: bool,
    },
    /// The saga of an order, ended or not, and what operators did with it.
    Show {
        /// The order's id.
        order_id: String,
    },
    /// Lets a saga that waits for another try run now.
    Retry(Acting),
    /// Gives a saga up: money and stock go back, and the order ends failed, or
    /// cancelled if it was confirmed.
    Compensate(Acting),
}

/// What is acted on, and why.
#[derive(clap::Args)]
pub struct Acting {
    /// The order's id.
    order_id: String,
    /// Why; kept with your name. Nothing personal of the customer.
    #[arg(long)]
    why: String,
}

const SAGA: &str = "stoa.orders.v1.Saga";
/// The most sagas asked for at once.
const PAGE: i32 = 100;

type Client = SagaServiceClient<MeshChannel>;

impl Sagas {
    pub async fn run(self, session: &Session, output: &Output) -> Result<()> {
        let mut client = Client::new(session.channel("orders")?);
        let saga = match self {
            Self::List { overdue, running } => {
                let filter = match (overdue, running) {
                    (true, _) => SagaFilter::Overdue,
                    (_, true) => SagaFilter::Running,
                    _ => SagaFilter::Unspecified,
                };
                let all = all(&mut client, session, filter).await?;
                return output.show("stoa.orders.v1.ListSagasResponse", &all, list);
            }
            Self::Show { order_id } => {
                client.get_saga(session.request(GetSagaRequest { order_id })?).await
            }
            Self::Retry(Acting { order_id, why: reason }) => {
                client.retry_saga(session.request(RetrySagaRequest { order_id, reason })?).await
            }
            Self::Compensate(Acting { order_id, why: reason }) => {
                let request = CompensateSagaRequest { order_id, reason };
                client.compensate_saga(session.request(request)?).await
            }
        };
        output.show(SAGA, &saga.map_err(failure)?.into_inner(), one)
    }
}

/// Page after page.
async fn all(
    client: &mut Client,
    session: &Session,
    filter: SagaFilter,
) -> Result<ListSagasResponse> {
    let mut all = ListSagasResponse::default();
    loop {
        let page_token = std::mem::take(&mut all.next_page_token);
        let request = ListSagasRequest { filter: filter.into(), page_size: PAGE, page_token };
        let page = client.list_sagas(session.request(request)?).await.map_err(failure)?;
        let ListSagasResponse { sagas, next_page_token } = page.into_inner();
        all.sagas.extend(sagas);
        if next_page_token.is_empty() {
            return Ok(all);
        }
        all.next_page_token = next_page_token;
    }
}

fn list(all: &ListSagasResponse) -> String {
    if all.sagas.is_empty() {
        return "no sagas".to_owned();
    }
    let row = |saga: &Saga| {
        [
            saga.order_id.clone(),
            state(saga),
            where_it_is(saga),
            saga.attempts.to_string(),
            deadline(saga),
            moment(saga.next_run_time.as_ref()),
            saga.last_error.clone(),
        ]
    };
    let header = ["ORDER", "STATE", "SAGA", "TRIES", "DEADLINE", "NEXT RUN", "LAST ERROR"];
    table(header, all.sagas.iter().map(row).collect())
}

fn one(saga: &Saga) -> String {
    let mut text = facts(&[
        ("order", format!("{} ({})", saga.order_id, state(saga))),
        ("saga", where_it_is(saga)),
        ("ended", if saga.ended { "yes" } else { "no" }.to_owned()),
        ("reason", saga.reason.clone()),
        ("failed tries", saga.attempts.to_string()),
        ("last error", saga.last_error.clone()),
        ("started", moment(saga.start_time.as_ref())),
        ("deadline", deadline(saga)),
        ("next run", moment(saga.next_run_time.as_ref())),
        ("driven until", moment(saga.lease_end_time.as_ref())),
    ]);
    if !saga.actions.is_empty() {
        let rows = saga.actions.iter().map(|done| {
            let at = moment(done.time.as_ref());
            [
                at,
                done.actor_id.clone(),
                done.action.clone(),
                done.outcome.clone(),
                done.reason.clone(),
            ]
        });
        text.push_str("\n\n");
        text.push_str(&table(["WHEN", "WHO", "WHAT", "OUTCOME", "WHY"], rows.collect()));
    }
    text
}

fn state(saga: &Saga) -> String {
    word(saga.order_state().as_str_name(), "ORDER_STATE")
}

/// For example `checkout forward at pay`.
fn where_it_is(saga: &Saga) -> String {
    let kind = word(saga.kind().as_str_name(), "SAGA_KIND");
    let direction = word(saga.direction().as_str_name(), "SAGA_DIRECTION");
    let step = word(saga.step().as_str_name(), "SAGA_STEP");
    format!("{kind} {direction} at {step}")
}

fn deadline(saga: &Saga) -> String {
    let overdue = if saga.overdue { " (overdue)" } else { "" };
    format!("{}{overdue}", moment(saga.deadline_time.as_ref()))
}
