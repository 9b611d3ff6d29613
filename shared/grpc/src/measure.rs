//! How requests end and how long they took: what the platform's promises are
//! measured by.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};
use proto::policy::MethodPolicy;
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::Span;

use crate::trace;

/// One request. Recorded however it ends.
pub(crate) struct Measurement {
    policy: &'static MethodPolicy,
    span: Span,
    started: Instant,
    /// Absent until the end is known.
    code: Option<Code>,
}

impl Measurement {
    pub(crate) fn start(policy: &'static MethodPolicy) -> Self {
        Self { policy, span: Span::current(), started: Instant::now(), code: None }
    }

    pub(crate) fn finish(mut self, code: Code) {
        self.code = Some(code);
    }

    /// Finishes with the response, or with the end of its stream.
    ///
    /// An error that is known before the first message is in the head, always so for
    /// unary methods: there the trailers can only say OK. A stream may fail later.
    pub(crate) fn finish_with(self, response: Response<Body>) -> Response<Body> {
        if self.policy.server_streaming && !response.headers().contains_key("grpc-status") {
            return response.map(|inner| Body::new(Measured { inner, measurement: Some(self) }));
        }
        self.finish(code_of(&response));
        response
    }
}

impl Drop for Measurement {
    /// Without a known end it is a panic, which the outermost layer answers, or the
    /// caller went away.
    fn drop(&mut self) {
        let unknown = if std::thread::panicking() { Code::Internal } else { Code::Cancelled };
        let code = self.code.unwrap_or(unknown);
        let took = self.started.elapsed();
        let labels =
            [("rpc_method", self.policy.name()), ("rpc_response_status_code", trace::name(code))];
        metrics::histogram!("rpc_server_call_duration_seconds", &labels).record(took.as_secs_f64());
        trace::served(&self.span, code);
        tracing::debug!(took_ms = took.as_millis(), code = trace::name(code), "served");
    }
}

/// The status of a response that has no body; `Ok` when the status is yet to come
/// in the trailers.
pub(crate) fn code_of(response: &Response<Body>) -> Code {
    let header = response.headers().get("grpc-status");
    header.map_or(Code::Ok, |value| Code::from_bytes(value.as_bytes()))
}

/// A stream whose trailers say how the request ended.
struct Measured {
    inner: Body,
    measurement: Option<Measurement>,
}

impl Measured {
    fn finish(&mut self, code: Code) {
        if let Some(measurement) = self.measurement.take() {
            measurement.finish(code);
        }
    }
}

impl http_body::Body for Measured {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                let status = frame.trailers_ref().and_then(|t| t.get("grpc-status"));
                if let Some(status) = status {
                    self.finish(Code::from_bytes(status.as_bytes()));
                }
            }
            Some(Err(status)) => self.finish(status.code()),
            // Without trailers the caller sees no status either.
            None => self.finish(Code::Unknown),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use http::{HeaderMap, HeaderValue};
    use http_body_util::{BodyExt, StreamBody};

    use super::*;

    const UNARY: &str = "/stoa.orders.v1.OrderService/GetOrder";
    const STREAM: &str = "/stoa.orders.v1.OrderService/WatchOrder";

    /// The codes that are recorded while something runs.
    fn recorded(run: impl FnOnce()) -> Vec<String> {
        let recorder = metrics_util::debugging::DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        metrics::with_local_recorder(&recorder, run);
        let series = snapshotter.snapshot().into_vec().into_iter();
        let label = |key: &metrics::Key| {
            let code = key.labels().find(|l| l.key() == "rpc_response_status_code");
            code.map(|l| l.value().to_owned()).unwrap_or_default()
        };
        series.map(|(key, ..)| label(key.key())).collect()
    }

    fn begin(path: &str) -> Measurement {
        Measurement::start(proto::policy::of(path).expect("exists"))
    }

    fn stream(end: Code) -> Response<Body> {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from(end as i32));
        let frames = [Frame::data(Bytes::from_static(b"message")), Frame::trailers(trailers)];
        let frames = frames.map(Ok::<_, Status>);
        Response::new(Body::new(StreamBody::new(futures::stream::iter(frames))))
    }

    #[test]
    fn an_error_without_a_body_is_seen_as_what_it_is() {
        let failed = Status::unavailable("no").into_http();
        assert_eq!(recorded(|| drop(begin(UNARY).finish_with(failed))), ["UNAVAILABLE"]);
        let refused = Status::permission_denied("no").into_http();
        assert_eq!(recorded(|| drop(begin(STREAM).finish_with(refused))), ["PERMISSION_DENIED"]);
    }

    #[test]
    fn a_stream_is_measured_by_its_trailers() {
        let read = |response: Response<Body>| {
            let reading = response.into_body().collect();
            futures::executor::block_on(reading).expect("a body");
        };
        let of = |end| recorded(|| read(begin(STREAM).finish_with(stream(end))));
        assert_eq!(of(Code::Internal), ["INTERNAL"]);
        assert_eq!(of(Code::Ok), ["OK"]);
    }

    #[test]
    fn a_stream_that_nobody_reads_to_its_end_is_cancelled() {
        let given_up = || drop(begin(STREAM).finish_with(stream(Code::Ok)));
        assert_eq!(recorded(given_up), ["CANCELLED"]);
    }

    #[test]
    fn a_panic_is_our_fault_and_a_caller_who_leaves_is_not() {
        let panic = || {
            let _ = catch_unwind(AssertUnwindSafe(|| {
                let _measurement = begin(UNARY);
                panic!("a bug");
            }));
        };
        assert_eq!(recorded(panic), ["INTERNAL"]);
        assert_eq!(recorded(|| drop(begin(UNARY))), ["CANCELLED"]);
    }
}
