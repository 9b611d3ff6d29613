//! What the platform answers when it refuses or fails, for people.

use std::fmt;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// An answer that is none.
#[derive(Debug)]
pub struct Failure {
    code: Code,
    text: String,
}

impl Failure {
    pub fn code(&self) -> Code {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}

/// In words, with the stable reason and the fields that are wrong.
pub fn failure(status: Status) -> Failure {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.as_str()).unwrap_or_default();
    let code = format!("{:?}", status.code());
    let known = if reason.is_empty() { code } else { format!("{code} {reason}") };
    let mut text = format!("{} ({known})", status.message());
    for violation in details.bad_request().map(|b| b.field_violations.as_slice()).unwrap_or(&[]) {
        text.push_str(&format!("\n  {}: {}", violation.field, violation.description));
    }
    if let Some(delay) = details.retry_info().and_then(|info| info.retry_delay) {
        text.push_str(&format!("\n  try again in {delay:?}"));
    }
    Failure { code: status.code(), text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_with_its_reason_and_the_fields_that_are_wrong() {
        let problem = grpc::Problem::field("reason", "must not be empty");
        let text = failure(problem.into()).to_string();
        assert!(text.contains("(InvalidArgument VALIDATION_FAILED)"), "{text}");
        assert!(text.ends_with("\n  reason: must not be empty"), "{text}");
        let bare = failure(Status::unavailable("no answer")).to_string();
        assert_eq!(bare, "no answer (Unavailable)");
    }
}
