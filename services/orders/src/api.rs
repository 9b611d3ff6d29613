//! The orders API by gRPC: parse, do, convert.

mod convert;
mod personal_data;
mod sagas;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use grpc::{Caller, Problem};
use proto::orders::v1 as pb;
use proto::orders::v1::order_service_server::OrderService;
use proto::policy;
use tokio::time::Instant;
use tonic::{Request, Response, Status};
use types::{PageSize, PageToken};

use crate::core::watch::Watch;
use crate::core::{Error, Orders};

pub use personal_data::PersonalDataApi;
pub use sagas::SagasApi;

/// What is kept of a method's deadline to answer within it.
const MARGIN: Duration = Duration::from_secs(1);

/// The service `stoa.orders.v1.OrderService`.
pub struct OrdersApi {
    core: Arc<Orders>,
}

impl OrdersApi {
    pub fn new(core: Arc<Orders>) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl OrderService for OrdersApi {
    type WatchOrderStream = BoxStream<'static, Result<pb::WatchOrderResponse, Status>>;

    async fn place_order(
        &self,
        request: Request<pb::PlaceOrderRequest>,
    ) -> Result<Response<pb::Order>, Status> {
        let until = deadline("/stoa.orders.v1.OrderService/PlaceOrder") - MARGIN;
        let (user, key) =
            (Caller::user_of(&request)?.clone(), Caller::key_of(&request)?.to_owned());
        let command = convert::place_order(&user, key, request.into_inner())?;
        let order = self.core.place(command, until).await.map_err(Problem::from)?;
        Ok(Response::new(convert::order(order)?))
    }

    async fn list_orders(
        &self,
        request: Request<pb::ListOrdersRequest>,
    ) -> Result<Response<pb::ListOrdersResponse>, Status> {
        let user = Caller::user_of(&request)?.id;
        let pb::ListOrdersRequest { page_size, page_token } = request.into_inner();
        let size = PageSize::from_request(page_size);
        let after = PageToken::decode(&page_token).map_err(bad_token)?;
        let orders = self.core.list(user, after, size.probe()).await.map_err(Problem::from)?;
        let (orders, next_page_token) = size.cut(orders, |last| last.id);
        let orders = orders.into_iter().map(convert::order).collect::<Result<_, _>>()?;
        Ok(Response::new(pb::ListOrdersResponse { orders, next_page_token }))
    }

    async fn get_order(
        &self,
        request: Request<pb::GetOrderRequest>,
    ) -> Result<Response<pb::Order>, Status> {
        let user = Caller::user_of(&request)?.id;
        let pb::GetOrderRequest { order_id } = request.into_inner();
        let id = grpc::convert::parse_id("order_id", &order_id)?;
        let order = self.core.get(user, id).await.map_err(Problem::from)?;
        Ok(Response::new(convert::order(order)?))
    }

    async fn cancel_order(
        &self,
        request: Request<pb::CancelOrderRequest>,
    ) -> Result<Response<pb::Order>, Status> {
        let until = deadline("/stoa.orders.v1.OrderService/CancelOrder") - MARGIN;
        let user = Caller::user_of(&request)?.id;
        let pb::CancelOrderRequest { order_id } = request.into_inner();
        let id = grpc::convert::parse_id("order_id", &order_id)?;
        let order = self.core.cancel(user, id, until).await.map_err(Problem::from)?;
        Ok(Response::new(convert::order(order)?))
    }

    async fn watch_order(
        &self,
        request: Request<pb::WatchOrderRequest>,
    ) -> Result<Response<Self::WatchOrderStream>, Status> {
        let until = deadline("/stoa.orders.v1.OrderService/WatchOrder") - MARGIN;
        let user = Caller::user_of(&request)?.id;
        let pb::WatchOrderRequest { order_id } = request.into_inner();
        let id = grpc::convert::parse_id("order_id", &order_id)?;
        let watch = self.core.watch(user, id).await.map_err(Problem::from)?;
        let leaving = self.core.leaving();
        let cut = async move {
            tokio::select! {
                () = leaving.cancelled_owned() => {}
                () = tokio::time::sleep_until(until) => {}
            }
        };
        Ok(Response::new(answers(watch).take_until(cut).boxed()))
    }
}

/// As in every other list.
fn bad_token(error: impl std::fmt::Display) -> Problem {
    let text = error.to_string();
    Problem::invalid("PAGE_TOKEN_INVALID", text.clone()).with_field("page_token", text)
}

/// When a method that begins now has to be done, by the contract.
fn deadline(path: &str) -> Instant {
    Instant::now() + policy::of(path).map_or(Duration::ZERO, |method| method.deadline)
}

/// What a watch sees, as messages; an error ends it.
fn answers(
    watch: Watch,
) -> impl stream::Stream<Item = Result<pb::WatchOrderResponse, Status>> + Send + 'static {
    stream::unfold(Some(watch), async |watch| {
        let mut watch = watch?;
        match watch.next().await {
            Ok(Some(order)) => {
                let last = order.state.is_final();
                let answer = convert::order(order)
                    .map(|order| pb::WatchOrderResponse { order: Some(order), r#final: last });
                Some((answer.map_err(Status::from), Some(watch)))
            }
            Ok(None) => None,
            Err(error) => Some((Err(Problem::from(error).into()), None)),
        }
    })
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::OrderNotFound => Self::not_found("ORDER_NOT_FOUND", text),
            Error::UserErased => Self::unauthenticated("TOKEN_INVALID", text),
            Error::CartEmpty => Self::precondition("CART_EMPTY", text),
            Error::ProductUnavailable(lines) => {
                let problem = Self::precondition("PRODUCT_UNAVAILABLE", text);
                lines.into_iter().fold(problem, |problem, line| {
                    let field = format!("cart.items[{}].product_id", line.position);
                    problem.with_field(&field, format!("{} {}", line.product_id, line.why))
                })
            }
            Error::KeyReused => Self::already_exists("IDEMPOTENCY_KEY_REUSED", text),
            Error::NotCancellable(_) => Self::precondition("ORDER_NOT_CANCELLABLE", text),
            Error::Busy => Self::aborted("ORDER_BUSY", text),
            Error::SagaNotFound => Self::not_found("SAGA_NOT_FOUND", text),
            Error::SagaEnded => Self::precondition("SAGA_ENDED", text),
            Error::SagaGoesBackward => Self::precondition("SAGA_GOES_BACKWARD", text),
            Error::SagaBusy => Self::aborted("SAGA_BUSY", text),
            Error::Unavailable(_) => Self::unavailable("DEPENDENCY_UNAVAILABLE", text),
            Error::Internal(cause) => Self::internal(cause),
        }
    }
}
