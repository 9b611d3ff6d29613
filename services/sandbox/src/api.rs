//! The API: JSON over HTTP, a bearer key, an idempotency key for every change.

mod error;
mod request;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use runtime::Shutdown;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use crate::books::Books;
use crate::charge::Charge;
use crate::store::{Answer, Command, Store};
use crate::token::Token;
use error::ApiError;
use request::{CreateCharge, List, Nothing, Refund, idempotency_key, parse};

/// What the handlers share.
pub struct Api {
    pub store: Store,
    pub books: Books,
    pub api_key: SecretString,
    /// How long the answer to `tok_slow` is held.
    pub slow: Duration,
    /// How long the answer to `tok_timeout` is held.
    pub timeout: Duration,
    /// Held answers are let go at shutdown.
    pub shutdown: Shutdown,
}

type Shared = State<Arc<Api>>;

/// The routes.
pub fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/v1/charges", post(create).get(list))
        .route("/v1/charges/{id}", get(show))
        .route("/v1/charges/{id}/capture", post(capture))
        .route("/v1/charges/{id}/void", post(void))
        .route("/v1/charges/{id}/refunds", post(refund))
        .route("/v1/refunds", get(list_refunds))
        .fallback(async || ApiError::not_found("there is no such path"))
        .layer(middleware::from_fn_with_state(api.clone(), authenticate))
        .with_state(api)
}

async fn authenticate(State(api): Shared, request: Request, next: Next) -> Response {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let sent = header.and_then(|v| v.strip_prefix("Bearer ")).unwrap_or_default();
    let known = api.api_key.expose_secret();
    if bool::from(sent.as_bytes().ct_eq(known.as_bytes())) {
        return next.run(request).await;
    }
    ApiError::unauthorized().into_response()
}

async fn create(State(api): Shared, headers: HeaderMap, body: Bytes) -> Result<Response, ApiError> {
    let CreateCharge { amount_minor, currency, token, reference } = parse(&body)?;
    request::check_amount(amount_minor)?;
    request::check_currency(&currency)?;
    request::check_reference(&reference)?;
    let token = Token::named(&token)
        .ok_or_else(|| ApiError::invalid("token_unknown", "there is no such token"))?;
    if token == Token::Unavailable {
        return Err(ApiError::unavailable());
    }
    let failure = token.failure();
    let command = Command::Create { reference, amount_minor, currency, failure };
    let answer = once(&api, &headers, "POST /v1/charges", &body, &command).await?;
    // Who asks again is told at once.
    if !answer.repeated {
        api.hold(token).await;
    }
    Ok(answer.into_response())
}

async fn capture(
    State(api): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let Nothing {} = parse(&body)?;
    let route = format!("POST /v1/charges/{id}/capture");
    once(&api, &headers, &route, &body, &Command::Capture { id }).await.map(Answer::into_response)
}

async fn void(
    State(api): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let Nothing {} = parse(&body)?;
    let route = format!("POST /v1/charges/{id}/void");
    once(&api, &headers, &route, &body, &Command::Void { id }).await.map(Answer::into_response)
}

async fn refund(
    State(api): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let Refund { amount_minor, reference } = parse(&body)?;
    request::check_amount(amount_minor)?;
    reference.as_deref().map_or(Ok(()), request::check_reference)?;
    let route = format!("POST /v1/charges/{id}/refunds");
    let command = Command::Refund { id, amount_minor, reference };
    once(&api, &headers, &route, &body, &command).await.map(Answer::into_response)
}

async fn show(State(api): Shared, Path(id): Path<String>) -> Result<Json<Charge>, ApiError> {
    Ok(Json(api.store.charge(&id).await?))
}

async fn list(State(api): Shared, Query(query): Query<List>) -> Result<Response, ApiError> {
    let (filter, limit) = query.read()?;
    let charges = api.books.charges(&filter, limit + 1).await?;
    Ok(page(charges, limit, |charge| &charge.id))
}

async fn list_refunds(State(api): Shared, Query(query): Query<List>) -> Result<Response, ApiError> {
    let (filter, limit) = query.read()?;
    let refunds = api.books.refunds(&filter, limit + 1).await?;
    Ok(page(refunds, limit, |refund| &refund.id))
}

/// One more than asked for tells whether there is a next page.
fn page<T: Serialize>(mut items: Vec<T>, limit: i64, id: impl Fn(&T) -> &String) -> Response {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(id);
    Json(json!({ "data": items, "next": next })).into_response()
}

async fn once(
    api: &Api,
    headers: &HeaderMap,
    route: &str,
    body: &[u8],
    command: &Command,
) -> Result<Answer, ApiError> {
    let key = idempotency_key(headers)?;
    let fingerprint = request::fingerprint(route, body);
    Ok(api.store.once(key, &fingerprint, command).await?)
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/json")], self.body).into_response()
    }
}

impl Api {
    /// Keeps the client waiting, as the token wants it; the charge is made already.
    async fn hold(&self, token: Token) {
        let time = match token {
            Token::Slow => self.slow,
            Token::TimesOut => self.timeout,
            Token::Approves | Token::Declines(_) | Token::Unavailable => return,
        };
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = tokio::time::sleep(time) => {}
        }
    }
}
