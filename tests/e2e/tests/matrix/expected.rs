//! What the contract says that a caller gets: pure, and of its own making. Nothing here
//! asks the code that enforces it.

use contract::{Contract, EDGE, Method, TOOLS};
use tonic::Code;

use super::{peers, users};
use crate::dynamic::Answer;

/// What a caller gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The method itself answers, be it with an error of its own.
    Allowed,
    /// An `Idempotency-Key` is asked for.
    KeyMissing,
    TokenMissing,
    TokenInvalid,
    PermissionMissing,
    /// A workload that the method does not name.
    CallerNotAllowed,
    /// A certificate without a workload.
    CallerUnknown,
    /// The edge knows no such method.
    NoRoute,
    /// TLS refuses.
    NoConnection,
}

/// How a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Native gRPC through the edge.
    Grpc,
    /// JSON through the edge.
    Rest,
    /// Straight to the service, by mutual TLS.
    Mesh,
}

/// Through the edge when there is no `peer`.
pub fn expected(
    contract: &Contract,
    method: &Method,
    peer: Option<&peers::Standing>,
    user: &users::Standing,
    with_key: bool,
) -> Expected {
    let access = &method.policy.access;
    let internal = access.internal.is_some();
    match peer {
        None if internal => return Expected::NoRoute,
        None => {}
        Some(peers::Standing::Untrusted) => return Expected::NoConnection,
        Some(peers::Standing::Unnamed) => return Expected::CallerUnknown,
        Some(peers::Standing::Workload(name)) => {
            let door = !internal && [EDGE, TOOLS].contains(&name.as_str());
            if !door && !access.callers.contains(name) {
                return Expected::CallerNotAllowed;
            }
        }
    }
    match user {
        // Between workloads no user's token counts, good or bad.
        _ if internal => {}
        users::Standing::Invalid => return Expected::TokenInvalid,
        users::Standing::Nobody if access.public.is_none() => return Expected::TokenMissing,
        users::Standing::Nobody => {}
        users::Standing::Holds { roles, entitlements } => {
            let holds = |permission: &String| {
                let holders = contract.holders(permission);
                roles.iter().any(|role| holders.contains(&role.as_str()))
                    || entitlements.contains(permission)
            };
            if !access.permission.as_ref().is_none_or(holds) {
                return Expected::PermissionMissing;
            }
        }
    }
    if method.policy.idempotency_key && !with_key {
        return Expected::KeyMissing;
    }
    Expected::Allowed
}

impl Expected {
    /// What is wrong with an answer, if anything.
    pub fn violation(self, way: Way, answer: &Answer) -> Option<String> {
        if self == Self::NoConnection {
            return (!answer.unconnected).then(|| "there is a connection".to_owned());
        }
        if answer.unconnected {
            return Some(format!("no connection: {}", answer.message));
        }
        if let Some(http) = answer.http
            && http != http_of(answer.code)
        {
            return Some(format!("HTTP {http} with code {:?}", answer.code));
        }
        if self == Self::Allowed {
            return not_allowed(answer);
        }
        let (code, reason, message) = self.looks(way);
        // Native gRPC has the edge's refusals without details: message only.
        let by_edge = way == Way::Grpc && self != Self::KeyMissing;
        let reason = if by_edge { "" } else { reason };
        let same = (answer.code, answer.reason.as_str()) == (code, reason)
            && answer.message.starts_with(message);
        (!same).then(|| format!("not {code:?} {reason} `{message}`"))
    }

    /// Code, reason, and how the message begins: it tells the edge from a service, and
    /// through the edge it must be the edge that refuses.
    fn looks(self, way: Way) -> (Code, &'static str, &'static str) {
        let edge = way != Way::Mesh;
        let text = |at_edge, at_service| if edge { at_edge } else { at_service };
        match self {
            Self::Allowed | Self::NoConnection => (Code::Ok, "", ""),
            Self::KeyMissing => (Code::InvalidArgument, "IDEMPOTENCY_KEY_MISSING", ""),
            Self::TokenMissing => (
                Code::Unauthenticated,
                "UNAUTHENTICATED",
                text("Sign in first.", "an access token"),
            ),
            Self::TokenInvalid => {
                let text = text("The token is not valid.", "the access token is not valid");
                (Code::Unauthenticated, "TOKEN_INVALID", text)
            }
            Self::PermissionMissing => {
                let text = text("You may not do this.", "your roles do not allow this");
                (Code::PermissionDenied, "PERMISSION_DENIED", text)
            }
            Self::CallerNotAllowed => (Code::PermissionDenied, "CALLER_NOT_ALLOWED", ""),
            Self::CallerUnknown => (Code::Unauthenticated, "PEER_UNKNOWN", ""),
            Self::NoRoute if way == Way::Rest => (Code::NotFound, "ROUTE_NOT_FOUND", ""),
            Self::NoRoute => (Code::Unimplemented, "", "There is nothing here."),
        }
    }
}

/// Why an answer is none of the method itself. An error of its own always has a reason,
/// and not one of those that the gate and the edge give.
fn not_allowed(answer: &Answer) -> Option<String> {
    const BEFORE_THE_METHOD: [&str; 14] = [
        "",
        "PERMISSION_DENIED",
        "CALLER_NOT_ALLOWED",
        "UNAUTHENTICATED",
        "TOKEN_INVALID",
        "PEER_UNKNOWN",
        "ROUTE_NOT_FOUND",
        "RATE_LIMITED",
        "REQUEST_MALFORMED",
        "FIELD_UNKNOWN",
        "UNSUPPORTED_MEDIA_TYPE",
        "VALIDATION_FAILED",
        "IDEMPOTENCY_KEY_MISSING",
        "IDEMPOTENCY_KEY_INVALID",
    ];
    let refused = match answer.code {
        Code::Ok => false,
        Code::InvalidArgument
        | Code::Unauthenticated
        | Code::PermissionDenied
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::ResourceExhausted => BEFORE_THE_METHOD.contains(&answer.reason.as_str()),
        // No refusal, a failure: also a violation.
        _ => true,
    };
    refused.then(|| "the method itself did not answer".to_owned())
}

/// `google.rpc.Code` as HTTP (google/rpc/code.proto).
fn http_of(code: Code) -> u16 {
    match code {
        Code::Ok => 200,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => 400,
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::Aborted => 409,
        Code::ResourceExhausted => 429,
        Code::Cancelled => 499,
        Code::Unimplemented => 501,
        Code::Unavailable => 503,
        Code::DeadlineExceeded => 504,
        Code::Unknown | Code::Internal | Code::DataLoss => 500,
    }
}
