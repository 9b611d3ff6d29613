//! Between the contract's messages and ours.

use std::time::Duration;

use grpc::Problem;
use proto::identity::v1 as pb;
use proto::policy;
use secrecy::ExposeSecret;

use crate::core::ports::PublicKey;
use crate::core::{Error, Session};
use crate::domain::{RuleBroken, User};

/// When a refused sign-in is worth another try.
const LOGINS_RETRY_AFTER: Duration = Duration::from_secs(1);

pub(super) fn user(user: User) -> pb::User {
    let User { id, email, display_name, roles, created_at } = user;
    pb::User {
        user_id: id.to_string(),
        email,
        display_name,
        roles,
        create_time: Some(grpc::convert::timestamp(created_at)),
    }
}

pub(super) fn session(session: Session) -> pb::Session {
    let Session { access_token, refresh_token, expires_in, user: signed_in } = session;
    pb::Session {
        access_token: access_token.expose_secret().to_owned(),
        refresh_token: refresh_token.expose_secret().to_owned(),
        token_type: "Bearer".to_owned(),
        // The setting is an i32 of seconds.
        expires_in: expires_in.whole_seconds() as i32,
        user: Some(user(signed_in)),
    }
}

pub(super) fn jwk(key: PublicKey) -> pb::Jwk {
    let PublicKey { kid, x, y } = key;
    pb::Jwk {
        kty: "EC".to_owned(),
        r#use: "sig".to_owned(),
        alg: "ES256".to_owned(),
        kid,
        crv: "P-256".to_owned(),
        x,
        y,
    }
}

/// The display name that an update asks for, if it asks for one (AIP-134). Other
/// fields of the body are not looked at, so that a client may send back what it
/// read; naming one in the mask is an error.
pub(super) fn new_display_name(request: pb::UpdateMeRequest) -> Result<Option<String>, Problem> {
    let pb::UpdateMeRequest { user, update_mask } = request;
    let pb::User { user_id: _, email: _, display_name, roles: _, create_time: _ } =
        user.ok_or_else(|| Problem::field("user", "is required"))?;
    let paths = update_mask.map(|mask| mask.paths).unwrap_or_default();
    if paths.is_empty() {
        return Ok(Some(display_name).filter(|name| !name.is_empty()));
    }
    if let Some(unknown) = paths.iter().find(|path| !matches!(path.as_str(), "display_name" | "*"))
    {
        let text = "only display_name can be changed";
        let problem = Problem::invalid("FIELD_MASK_INVALID", text);
        return Err(problem.with_field("update_mask", format!("`{unknown}` cannot be changed")));
    }
    Ok(Some(display_name))
}

/// Roles are declared in the contract and nowhere else.
pub(super) fn check_roles(roles: &[String]) -> Result<(), Problem> {
    match roles.iter().position(|role| policy::role(role).is_none()) {
        None => Ok(()),
        Some(i) => Err(Problem::invalid("ROLE_UNKNOWN", "there is no such role")
            .with_field(&format!("roles[{i}]"), "is not a role")),
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::EmailTaken => Self::already_exists("EMAIL_TAKEN", text),
            Error::BadCredentials => Self::unauthenticated("BAD_CREDENTIALS", text),
            Error::RefreshTokenInvalid => Self::unauthenticated("REFRESH_TOKEN_INVALID", text),
            Error::UserNotFound => Self::not_found("USER_NOT_FOUND", text),
            Error::Rule(RuleBroken::LastAdmin) => Self::precondition("LAST_ADMIN", text),
            Error::Rule(RuleBroken::NameEmpty | RuleBroken::NameUnprintable) => {
                Self::field("display_name", text)
            }
            Error::TooManyLogins => Self::exhausted("TOO_MANY_LOGINS", text, LOGINS_RETRY_AFTER),
            Error::Unavailable(cause) => {
                tracing::warn!(error = %cause, "the database does not answer");
                Self::unavailable("DATABASE_UNAVAILABLE", "accounts cannot be reached")
            }
            Error::Internal(cause) => Self::internal(cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use prost_types::FieldMask;

    use super::*;
    use crate::domain::{ADMIN, CUSTOMER};

    fn update(name: &str, paths: &[&str]) -> Result<Option<String>, Problem> {
        let paths = paths.iter().map(ToString::to_string).collect();
        new_display_name(pb::UpdateMeRequest {
            user: Some(pb::User { display_name: name.to_owned(), ..pb::User::default() }),
            update_mask: Some(FieldMask { paths }),
        })
    }

    #[test]
    fn without_a_mask_only_what_is_set_changes() {
        assert_eq!(update("Ada", &[]), Ok(Some("Ada".to_owned())));
        assert_eq!(update("", &[]), Ok(None));
    }

    #[test]
    fn a_mask_names_the_display_name_or_everything() {
        assert_eq!(update("Ada", &["display_name"]), Ok(Some("Ada".to_owned())));
        assert_eq!(update("", &["*"]), Ok(Some(String::new())));
    }

    #[test]
    fn a_mask_cannot_name_roles() {
        let refused = update("Ada", &["display_name", "roles"]).map_err(|p| p.reason());
        assert_eq!(refused, Err("FIELD_MASK_INVALID"));
    }

    #[test]
    fn the_roles_that_rules_speak_of_are_roles_of_the_contract() {
        assert_eq!(check_roles(&[CUSTOMER.to_owned(), ADMIN.to_owned()]), Ok(()));
        assert!(policy::permits([ADMIN], "users:write"));
        let refused = check_roles(&["emperor".to_owned()]).map_err(|p| p.reason());
        assert_eq!(refused, Err("ROLE_UNKNOWN"));
    }

    #[test]
    fn our_own_faults_are_not_told() {
        let problem = Problem::from(Error::internal("relation users does not exist"));
        assert!(!format!("{problem:?}").contains("relation"));
    }
}
