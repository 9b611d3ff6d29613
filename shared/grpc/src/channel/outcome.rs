//! What the outcome of one try means: for its callee, and for trying again.

use std::error::Error as _;
use std::time::Duration;

use http::Response;
use proto::ERROR_DOMAIN;
use tonic::body::Body;
use tonic::transport::Error;
use tonic::{Code, Status, TimeoutExpired};
use tonic_types::StatusExt;

use super::breaker::Verdict;
use crate::measure::code_of;

/// An answer, or why there is none.
pub(super) type Answer = Result<Response<Body>, Error>;

/// Whether the try says that its callee is broken. What a service of ours answers
/// says that it is there, be it a refusal or a fault of its own.
///
/// `in_full` tells that the callee had all the time that the contract gives it: it is
/// not to blame for the hurry of others.
pub(super) fn verdict(answer: &Answer, in_full: bool) -> Verdict {
    let response = match answer {
        Ok(response) => response,
        Err(error) if was_never_seen(error) => return Verdict::Unknown,
        Err(_) => return Verdict::Fails,
    };
    match code_of(response) {
        Code::DeadlineExceeded if in_full => Verdict::Fails,
        Code::DeadlineExceeded | Code::Cancelled => Verdict::Unknown,
        Code::Unavailable | Code::Internal | Code::Unknown if !is_ours(response) => Verdict::Fails,
        _ => Verdict::Answers,
    }
}

/// Whether a method that may be repeated is worth another try, and what the callee
/// asks to wait before (`RetryInfo`, AIP-194).
pub(super) fn retry_after(answer: &Answer) -> Option<Duration> {
    let Ok(response) = answer else { return Some(Duration::ZERO) };
    match code_of(response) {
        Code::Unavailable => Some(pushback(response).unwrap_or_default()),
        // The try's own time limit; whether there is time for another, the caller knows.
        Code::DeadlineExceeded => Some(Duration::ZERO),
        Code::ResourceExhausted => pushback(response),
        _ => None,
    }
}

/// Whether the callee certainly never saw the request, as when its process ends just
/// then. Such a call may be made again whatever its method ("transparent retry", gRFC
/// A6).
///
/// Its connection was closed before the request was handed over; or the callee said
/// that it did not process it: a GOAWAY that names an earlier request as the last, or
/// REFUSED_STREAM (RFC 9113, sections 6.8 and 8.7).
pub(super) fn was_never_seen(error: &Error) -> bool {
    causes(error).any(|cause| {
        let closed = cause.downcast_ref().is_some_and(hyper::Error::is_canceled);
        closed || cause.downcast_ref().is_some_and(was_refused)
    })
}

/// h2 gives this error to requests that a GOAWAY leaves out and to those made after
/// it; a request that was under way when the connection ended has an I/O error.
fn was_refused(error: &h2::Error) -> bool {
    let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
    error.is_remote() && (error.is_go_away() || refused)
}

/// Whether tonic's own timer for `grpc-timeout` was a touch faster than ours; it would
/// say CANCELLED.
pub(super) fn was_too_late(error: &Error) -> bool {
    causes(error).any(|error| error.is::<TimeoutExpired>())
}

fn causes(error: &Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |error| (*error).source())
}

fn pushback(response: &Response<Body>) -> Option<Duration> {
    Status::from_header_map(response.headers())?.get_details_retry_info()?.retry_delay
}

fn is_ours(response: &Response<Body>) -> bool {
    let status = Status::from_header_map(response.headers());
    let info = status.and_then(|status| status.get_details_error_info());
    info.is_some_and(|info| info.domain == ERROR_DOMAIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Problem;

    fn ours(problem: Problem) -> Answer {
        Ok(Status::from(problem).into_http())
    }

    fn foreign(code: Code) -> Answer {
        Ok(Status::new(code, "upstream connect error").into_http())
    }

    #[test]
    fn no_answer_of_a_service_says_that_it_is_broken() {
        let answers = [
            ours(Problem::not_found("ORDER_NOT_FOUND", "no")),
            ours(Problem::unavailable("DATABASE_UNAVAILABLE", "no")),
            ours(Problem::internal("a bug")),
            ours(Problem::exhausted("OVERLOADED", "no", Duration::from_secs(1))),
            Ok(Response::new(Body::empty())),
        ];
        assert!(answers.iter().all(|answer| verdict(answer, true) == Verdict::Answers));
    }

    #[test]
    fn what_stands_between_says_that_a_service_is_broken() {
        for code in [Code::Unavailable, Code::Internal, Code::Unknown] {
            assert_eq!(verdict(&foreign(code), true), Verdict::Fails, "{code:?}");
        }
    }

    #[test]
    fn too_late_counts_only_when_there_was_time() {
        let late = ours(Problem::deadline_exceeded());
        assert_eq!(verdict(&late, true), Verdict::Fails);
        assert_eq!(verdict(&late, false), Verdict::Unknown);
    }

    #[test]
    fn the_callee_says_how_long_to_wait() {
        let second = Duration::from_secs(1);
        let unavailable = ours(Problem::unavailable("DATABASE_UNAVAILABLE", "no"));
        assert_eq!(retry_after(&unavailable), Some(second));
        assert_eq!(retry_after(&foreign(Code::Unavailable)), Some(Duration::ZERO));
        let shed = ours(Problem::exhausted("OVERLOADED", "no", second));
        assert_eq!(retry_after(&shed), Some(second));
        assert_eq!(retry_after(&foreign(Code::ResourceExhausted)), None);
        assert_eq!(retry_after(&ours(Problem::precondition("OUT_OF_STOCK", "no"))), None);
    }
}
