//! What another service's refusal means.

use grpc::problem::reason_of;
use tonic::{Code, Status};

use crate::core::Error;
use crate::core::ports::Setback;

/// For calls with an effect: whether it certainly did not happen.
pub(super) fn setback(status: Status) -> Setback {
    let reason = reason_of(&status);
    let text = format!("{:?} {reason}", status.code());
    match status.code() {
        Code::FailedPrecondition | Code::NotFound | Code::AlreadyExists if !reason.is_empty() => {
            Setback::Refused(reason)
        }
        Code::InvalidArgument | Code::OutOfRange => {
            tracing::error!(
                rpc.reason = reason,
                "another service does not understand us: {status}"
            );
            Setback::Refused(text)
        }
        _ => Setback::Unknown(text),
    }
}

/// For calls that only read.
pub(super) fn unreadable(workload: &str, status: Status) -> Error {
    let text = format!("{workload} does not answer");
    match status.code() {
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Cancelled
        | Code::Aborted
        | Code::ResourceExhausted
        | Code::Internal
        | Code::Unknown => {
            tracing::warn!(rpc.code = ?status.code(), rpc.reason = reason_of(&status), "{text}");
            Error::Unavailable(text)
        }
        code => Error::Internal(format!("{workload} refused to be read: {code:?} {status}")),
    }
}

#[cfg(test)]
mod tests {
    use grpc::Problem;

    use super::*;

    #[test]
    fn a_business_refusal_is_certain_and_everything_else_is_not() {
        let refused = Problem::precondition("PAYMENT_DECLINED", "no").into();
        assert_eq!(setback(refused), Setback::Refused("PAYMENT_DECLINED".to_owned()));
        for code in [
            Code::Unavailable,
            Code::DeadlineExceeded,
            Code::Aborted,
            Code::Internal,
            Code::Unknown,
            Code::Cancelled,
            Code::PermissionDenied,
            Code::Unauthenticated,
            Code::ResourceExhausted,
        ] {
            let unknown = matches!(setback(Status::new(code, "")), Setback::Unknown(_));
            assert!(unknown, "{code:?}");
        }
    }

    #[test]
    fn a_refusal_that_nobody_of_ours_made_is_not_believed() {
        let strange = Status::new(Code::NotFound, "404 from a proxy");
        assert!(matches!(setback(strange), Setback::Unknown(_)));
    }
}
