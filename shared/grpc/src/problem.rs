//! What went wrong, as a caller is told: `google.rpc.Status` with a stable
//! reason (AIP-193).

use std::time::Duration;

use proto::ERROR_DOMAIN;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// An error on its way to a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    code: Code,
    reason: &'static str,
    message: String,
    fields: Vec<(String, String)>,
    retry_after: Option<Duration>,
}

impl Problem {
    fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, reason, message, fields: Vec::new(), retry_after: None }
    }

    /// The request itself is wrong. `reason` is UPPER_SNAKE and stable.
    pub fn invalid(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, reason, message)
    }

    /// One field of the request is wrong.
    pub fn field(field: &str, description: impl Into<String>) -> Self {
        let text = "the request breaks the contract; see field_violations";
        Self::invalid("VALIDATION_FAILED", text).with_field(field, description)
    }

    pub fn unauthenticated(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::Unauthenticated, reason, message)
    }

    pub fn denied(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::PermissionDenied, reason, message)
    }

    pub fn not_found(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, reason, message)
    }

    pub fn already_exists(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::AlreadyExists, reason, message)
    }

    /// The state of things does not allow it; the same request may work later.
    pub fn precondition(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, reason, message)
    }

    /// Somebody else changed the same thing at the same time; try again.
    pub fn aborted(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::Aborted, reason, message).retry_after(Duration::from_millis(100))
    }

    pub fn exhausted(reason: &'static str, message: impl Into<String>, after: Duration) -> Self {
        Self::new(Code::ResourceExhausted, reason, message).retry_after(after)
    }

    /// Something that is needed does not answer.
    pub fn unavailable(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, reason, message).retry_after(Duration::from_secs(1))
    }

    /// Somebody who is needed has failed too often and is not asked for a while.
    pub(crate) fn circuit_open(message: impl Into<String>, after: Duration) -> Self {
        Self::unavailable("CIRCUIT_OPEN", message).retry_after(after)
    }

    /// There is more to do than can be done.
    pub(crate) fn overloaded(after: Duration) -> Self {
        Self::exhausted("OVERLOADED", "too much to do at the moment; try again later", after)
    }

    pub fn deadline_exceeded() -> Self {
        let text = "the method's deadline passed before it was done";
        Self::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", text)
    }

    pub fn unimplemented(message: impl Into<String>) -> Self {
        Self::new(Code::Unimplemented, "METHOD_UNKNOWN", message)
    }

    /// Our own fault. The cause is logged here, once; callers never see it.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(error = %cause, "internal error");
        Self::new(Code::Internal, "INTERNAL", "something went wrong on our side")
    }

    /// Adds what is wrong with a field, by its path in the request.
    pub fn with_field(mut self, field: &str, description: impl Into<String>) -> Self {
        self.fields.push((field.to_owned(), description.into()));
        self
    }

    fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// How long to wait before a retry, in whole seconds, rounded up.
    pub(crate) fn retry_seconds(&self) -> Option<u64> {
        self.retry_after.map(|after| after.as_secs_f64().ceil() as u64)
    }

    pub fn code(&self) -> Code {
        self.code
    }

    pub fn reason(&self) -> &'static str {
        self.reason
    }
}

impl From<Problem> for Status {
    fn from(problem: Problem) -> Self {
        let mut details = ErrorDetails::new();
        details.set_error_info(problem.reason, ERROR_DOMAIN, []);
        for (field, description) in problem.fields {
            details.add_bad_request_violation(field, description);
        }
        if let Some(after) = problem.retry_after {
            details.set_retry_info(Some(after));
        }
        Self::with_error_details(problem.code, problem.message, details)
    }
}

/// The stable reason of a status that another service answered; empty when it
/// has none.
pub fn reason_of(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}
