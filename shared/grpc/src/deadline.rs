//! How long a request may take, here and in all that it calls: the time that is left
//! shrinks from hop to hop, so that nobody works for a caller who has gone.

use std::time::{Duration, Instant};

use http::{HeaderMap, Response};
use proto::policy::MethodPolicy;
use tonic::Status;
use tonic::body::Body;

use crate::Problem;

tokio::task_local! {
    /// When the request that this task serves must be answered. Work that goes on
    /// by itself, in a task of its own, has no such time.
    static UNTIL: Instant;
}

/// What a request may take: the contract's deadline or what the caller still has,
/// whichever is shorter.
///
/// A touch before tonic's own timer for `grpc-timeout`, which would answer
/// CANCELLED.
pub(crate) fn of_request(policy: &MethodPolicy, headers: &HeaderMap) -> Duration {
    const TOUCH: Duration = Duration::from_millis(5);
    asked(headers).map_or(policy.deadline, |asked| policy.deadline.min(asked.saturating_sub(TOUCH)))
}

/// What a call may take: the contract's deadline, what its maker asks for, or what
/// is left of the request that it is made for, whichever is shortest.
pub(crate) fn of_call(policy: &MethodPolicy, headers: &HeaderMap) -> Duration {
    let left = UNTIL.try_with(|until| until.saturating_duration_since(Instant::now())).ok();
    [asked(headers), left].into_iter().flatten().fold(policy.deadline, Duration::min)
}

/// Serves a request until its deadline; not at all when that has passed already.
pub(crate) async fn within<E>(
    until: Instant,
    serving: impl Future<Output = Result<Response<Body>, E>>,
) -> Result<Response<Body>, E> {
    if until <= Instant::now() {
        return Ok(exceeded());
    }
    let serving = UNTIL.scope(until, serving);
    tokio::time::timeout_at(until.into(), serving).await.unwrap_or_else(|_| Ok(exceeded()))
}

/// The answer when time is up.
pub(crate) fn exceeded() -> Response<Body> {
    Status::from(Problem::deadline_exceeded()).into_http()
}

fn asked(headers: &HeaderMap) -> Option<Duration> {
    headers.get("grpc-timeout").and_then(|v| v.to_str().ok()).and_then(parse)
}

/// The value of a `grpc-timeout` header: up to eight digits and a unit.
fn parse(value: &str) -> Option<Duration> {
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount.saturating_mul(3600))),
        "M" => Some(Duration::from_secs(amount.saturating_mul(60))),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> &'static MethodPolicy {
        proto::policy::of("/stoa.orders.v1.OrderService/GetOrder").expect("exists")
    }

    fn asking(value: &str) -> HeaderMap {
        let value = http::HeaderValue::from_str(value).expect("a header");
        HeaderMap::from_iter([(http::HeaderName::from_static("grpc-timeout"), value)])
    }

    #[test]
    fn a_callers_timeout_shortens_the_deadline_and_never_lengthens_it() {
        let with = |value: &str| of_request(policy(), &asking(value));
        assert_eq!(with("100m"), Duration::from_millis(95));
        assert_eq!(with("1H"), policy().deadline);
        assert_eq!(with("nonsense"), policy().deadline);
        assert_eq!(with("1m"), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_call_has_what_is_left_of_the_request_that_it_is_made_for() {
        let none = HeaderMap::new();
        assert_eq!(of_call(policy(), &none), policy().deadline, "work of its own");
        let serving = async {
            let left = of_call(policy(), &none);
            assert!(left <= Duration::from_millis(300), "{left:?}");
            assert!(left > Duration::ZERO);
            assert_eq!(of_call(policy(), &asking("20m")), Duration::from_millis(20));
            Ok::<_, ()>(exceeded())
        };
        let until = Instant::now() + Duration::from_millis(300);
        within(until, serving).await.expect("served");
    }

    #[tokio::test]
    async fn nothing_is_begun_when_it_is_too_late() {
        let serving = async { unreachable!("nobody waits for this") };
        let answer = within::<()>(Instant::now(), serving).await.expect("an answer");
        assert_eq!(crate::measure::code_of(&answer), tonic::Code::DeadlineExceeded);
    }
}
