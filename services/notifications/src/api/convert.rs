//! Between the contract's messages and ours.

use grpc::Problem;
use proto::notifications::v1 as pb;

use crate::core::Error;
use crate::core::ports::Told;
use crate::domain::{DeliveryState, Kind, Notification, Preferences, Text};

pub(super) fn notification(told: Told) -> pb::Notification {
    let Told { notification, email } = told;
    let Notification { id, user_id: _, kind: about, text, order_id, created_at } = notification;
    let Text { subject, body } = text;
    pb::Notification {
        notification_id: id.to_string(),
        kind: kind(about).into(),
        subject,
        body,
        order_id: order_id.map(|id| id.to_string()).unwrap_or_default(),
        email_state: state(email).into(),
        create_time: Some(grpc::convert::timestamp(created_at)),
    }
}

fn kind(kind: Kind) -> pb::NotificationKind {
    match kind {
        Kind::Welcome => pb::NotificationKind::Welcome,
        Kind::OrderConfirmed => pb::NotificationKind::OrderConfirmed,
        Kind::OrderFailed => pb::NotificationKind::OrderFailed,
        Kind::OrderCancelled => pb::NotificationKind::OrderCancelled,
        Kind::PaymentRefunded => pb::NotificationKind::PaymentRefunded,
        Kind::VerifyEmail => pb::NotificationKind::VerifyEmail,
        Kind::ResetPassword => pb::NotificationKind::ResetPassword,
        Kind::Security | Kind::AccountClosed => pb::NotificationKind::Security,
    }
}

fn state(state: DeliveryState) -> pb::DeliveryState {
    match state {
        DeliveryState::Pending => pb::DeliveryState::Pending,
        DeliveryState::Sent => pb::DeliveryState::Sent,
        DeliveryState::Failed => pb::DeliveryState::Failed,
        DeliveryState::Suppressed => pb::DeliveryState::Suppressed,
    }
}

pub(super) fn preferences(preferences: Preferences) -> pb::Preferences {
    let Preferences { email } = preferences;
    pb::Preferences { email }
}

/// The preferences that an update asks for (AIP-134). There is one field, so that
/// whatever the mask names, it is all of them.
pub(super) fn new_preferences(
    request: pb::UpdatePreferencesRequest,
) -> Result<Preferences, Problem> {
    let pb::UpdatePreferencesRequest { preferences, update_mask } = request;
    let pb::Preferences { email } =
        preferences.ok_or_else(|| Problem::field("preferences", "is required"))?;
    let paths = update_mask.map(|mask| mask.paths).unwrap_or_default();
    match paths.iter().find(|path| !matches!(path.as_str(), "email" | "*")) {
        None => Ok(Preferences { email }),
        Some(unknown) => {
            let unknown: String = unknown.chars().take(40).collect();
            Err(Problem::invalid("FIELD_MASK_INVALID", "only email can be changed")
                .with_field("update_mask", format!("`{unknown}` cannot be changed")))
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(cause) => {
                tracing::warn!(error = %cause, "the database does not answer");
                Self::unavailable("DATABASE_UNAVAILABLE", "notifications cannot be reached")
            }
            Error::UserErased => Self::unauthenticated("TOKEN_INVALID", error.to_string()),
            Error::Internal(cause) => Self::internal(cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use prost_types::FieldMask;

    use super::*;

    fn update(email: bool, paths: &[&str]) -> Result<Preferences, &'static str> {
        let paths = paths.iter().map(ToString::to_string).collect();
        let update_mask = Some(FieldMask { paths });
        let preferences = Some(pb::Preferences { email });
        new_preferences(pb::UpdatePreferencesRequest { preferences, update_mask })
            .map_err(|p| p.reason())
    }

    #[test]
    fn no_mask_and_every_known_mask_change_the_field() {
        for paths in [&[][..], &["email"], &["*"], &["email", "email"]] {
            assert_eq!(update(false, paths), Ok(Preferences { email: false }));
        }
    }

    #[test]
    fn a_mask_cannot_name_what_is_not_there() {
        assert_eq!(update(true, &["email", "sms"]), Err("FIELD_MASK_INVALID"));
        assert_eq!(update(true, &[""]), Err("FIELD_MASK_INVALID"));
    }

    #[test]
    fn our_own_faults_are_not_told() {
        let problem = Problem::from(Error::internal("relation deliveries does not exist"));
        assert!(!format!("{problem:?}").contains("relation"));
    }
}
