//! What the page asks: the moment, as a stream or once, and traces.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt as _};
use runtime::Shutdown;
use serde::Deserialize;
use serde_json::json;
use tokio::time::MissedTickBehavior;
use tokio_stream::wrappers::IntervalStream;

use crate::core::live::Live;
use crate::domain::store::Filter;

/// How often a page is told.
const EVERY: Duration = Duration::from_secs(2);
/// Senders keep spans for some seconds; a trace without its beginning is shown after that.
const LATE: Duration = Duration::from_secs(8);
/// Traces on one page.
const LIST: usize = 100;

/// What the handlers need.
#[derive(Clone)]
pub struct Asked {
    pub live: Arc<Live>,
    /// Ends the streams, which have no end of their own.
    pub shutdown: Shutdown,
}

/// The moment, every two seconds, for as long as somebody looks: nothing is asked of
/// anybody while nobody does.
pub async fn stream(
    State(asked): State<Asked>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let live = asked.live;
    let moments = IntervalStream::new(ticks).then(move |_| {
        let live = live.clone();
        async move {
            let event = Event::default().json_data(&*live.snapshot().await);
            Ok(event.unwrap_or_else(|error| Event::default().comment(error.to_string())))
        }
    });
    Sse::new(moments.take_until(asked.shutdown.cancelled_owned()))
}

/// The moment, once.
pub async fn now(State(asked): State<Asked>) -> Response {
    Json(&*asked.live.snapshot().await).into_response()
}

/// Which traces are wanted, as the address says it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    service: String,
    name: String,
    errors: Option<String>,
    /// Milliseconds.
    slower: Option<f64>,
    id: String,
}

impl Wanted {
    fn filter(self) -> Filter {
        let given = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Filter {
            service: given(self.service),
            name: given(self.name),
            errors: self.errors.is_some_and(|text| text == "1"),
            slower_than: (self.slower.unwrap_or_default().max(0.0) * 1e6) as u64,
            id: given(self.id).map(|id| id.to_lowercase()),
            settled: Some((types::now() - LATE).unix_timestamp_nanos() as u64),
        }
    }
}

/// The latest traces that pass.
pub async fn traces(State(asked): State<Asked>, Query(wanted): Query<Wanted>) -> Response {
    let traces = asked.live.traces.latest(&wanted.filter(), LIST);
    Json(json!({ "traces": traces, "holding": asked.live.traces.holding() })).into_response()
}

/// One trace, drawn.
pub async fn trace(State(asked): State<Asked>, Path(id): Path<String>) -> Response {
    let waterfall = id.to_lowercase().parse().ok().and_then(|id| asked.live.traces.waterfall(id));
    match waterfall {
        Some(waterfall) => Json(waterfall).into_response(),
        None => {
            let why = json!({ "error": "This trace is not kept: it never came, or made room." });
            (StatusCode::NOT_FOUND, Json(why)).into_response()
        }
    }
}

/// The latest orders.
pub async fn orders(State(asked): State<Asked>) -> Response {
    Json(asked.live.traces.checkouts(30)).into_response()
}
