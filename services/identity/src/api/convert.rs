//! Between the contract's messages and ours.

mod addresses;
mod mask;
mod roles;

use std::time::Duration;

use grpc::Problem;
use proto::identity::v1 as pb;
use secrecy::ExposeSecret;

use uuid::Uuid;

use crate::core::ports::{Listed, PublicKey, Revoked, RevokedSince, SignIn, Verification};
use crate::core::security::ActiveToken;
use crate::core::{Error, Session};
use crate::domain::oauth::Client;
use crate::domain::{KeyInfo, KeyState, RuleBroken, User};

pub(super) use self::addresses::{address_change, at_country, postal_address, saved_address};
pub(super) use self::roles::{role, role_change};

/// When a refused sign-in is worth another try.
const LOGINS_RETRY_AFTER: Duration = Duration::from_secs(1);
/// When another mail may be asked for.
const MAILS_RETRY_AFTER: Duration = Duration::from_secs(60);

pub(super) fn user(user: User) -> pb::User {
    let User {
        id,
        email,
        display_name,
        roles,
        entitlements: _,
        created_at,
        email_verified,
        second_factor,
    } = user;
    pb::User {
        user_id: id.to_string(),
        email,
        display_name,
        roles: roles.all(),
        create_time: Some(grpc::convert::timestamp(created_at)),
        email_verified,
        second_factor,
    }
}

pub(super) fn sign_in(session: SignIn, current: Option<Uuid>) -> pb::SignIn {
    let SignIn { id, created_at, last_used_at, user_agent } = session;
    pb::SignIn {
        session_id: id.to_string(),
        create_time: Some(grpc::convert::timestamp(created_at)),
        last_use_time: Some(grpc::convert::timestamp(last_used_at)),
        user_agent,
        current: current == Some(id),
    }
}

pub(super) fn signing_key(key: KeyInfo, state: KeyState) -> pb::SigningKey {
    let KeyInfo { kid, created_at, signs_at, retires_at } = key;
    let state = match state {
        KeyState::Published => pb::SigningKeyState::Published,
        KeyState::Signing => pb::SigningKeyState::Signing,
        KeyState::Retiring => pb::SigningKeyState::Retiring,
    };
    pb::SigningKey {
        kid,
        state: state.into(),
        create_time: Some(grpc::convert::timestamp(created_at)),
        sign_time: Some(grpc::convert::timestamp(signs_at)),
        retire_time: retires_at.map(grpc::convert::timestamp),
    }
}

pub(super) fn security_event(event: Listed) -> pb::SecurityEvent {
    let Listed { sequence, kind, at, address, detail } = event;
    let (time, client_address) = (Some(grpc::convert::timestamp(at)), address.unwrap_or_default());
    pb::SecurityEvent { sequence, kind, time, client_address, detail }
}

pub(super) fn introspection(token: ActiveToken) -> pb::TokenIntrospection {
    let ActiveToken { kind, user, session, roles, entitlements, issued_at, expires_at } = token;
    pb::TokenIntrospection {
        active: true,
        token_type: kind.to_owned(),
        sub: user.to_string(),
        sid: session.to_string(),
        roles,
        entitlements,
        exp: expires_at.unix_timestamp(),
        iat: issued_at.unix_timestamp(),
    }
}

pub(super) fn client(client: Client) -> pb::Client {
    let Client {
        id,
        name,
        redirect_uris,
        logout_uris,
        secret_hash,
        first_party,
        roles,
        entitlements: _,
        created_at,
    } = client;
    pb::Client {
        client_id: id.to_string(),
        display_name: name,
        redirect_uris,
        post_logout_redirect_uris: logout_uris,
        confidential: secret_hash.is_some(),
        first_party,
        roles: roles.all(),
        create_time: Some(grpc::convert::timestamp(created_at)),
    }
}

pub(super) fn verification(followed: Verification) -> pb::AuditLogVerification {
    let Verification { entries, broken, head } = followed;
    pb::AuditLogVerification {
        intact: broken.is_none(),
        entry_count: entries,
        broken_sequence: broken.unwrap_or_default(),
        head: hex::encode(head),
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
    let pb::User {
        user_id: _,
        email: _,
        display_name,
        roles: _,
        create_time: _,
        email_verified: _,
        second_factor: _,
    } = user.ok_or_else(|| Problem::field("user", "is required"))?;
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

pub(super) fn revocations(
    (since, remember): (RevokedSince, time::Duration),
) -> pb::ListRevocationsResponse {
    let RevokedSince { revoked, next } = since;
    let revocation = |Revoked { subject, at }| pb::Revocation {
        subject_id: subject.to_string(),
        revoke_time: Some(grpc::convert::timestamp(at)),
        forget_time: Some(grpc::convert::timestamp(at + remember)),
    };
    pb::ListRevocationsResponse {
        revocations: revoked.into_iter().map(revocation).collect(),
        next_start_time: Some(grpc::convert::timestamp(next)),
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
            Error::LoginThrottled(pause) => {
                Self::exhausted("LOGIN_THROTTLED", text, pause.unsigned_abs())
            }
            Error::TooManyMails => Self::exhausted("TOO_MANY_MAILS", text, MAILS_RETRY_AFTER),
            Error::SecondFactorRequired => Self::unauthenticated("SECOND_FACTOR_REQUIRED", text),
            Error::CodeWrong => Self::invalid("CODE_WRONG", text),
            Error::SecondFactorActive => Self::precondition("SECOND_FACTOR_ACTIVE", text),
            Error::SecondFactorNotEnrolled => {
                Self::precondition("SECOND_FACTOR_NOT_ENROLLED", text)
            }
            Error::PasswordWrong => Self::invalid("PASSWORD_WRONG", text),
            Error::PasswordCommon => Self::invalid("PASSWORD_COMMON", text),
            Error::EmailVerified => Self::precondition("EMAIL_VERIFIED", text),
            Error::MailTokenInvalid => Self::invalid("MAIL_TOKEN_INVALID", text),
            Error::MailRequestNotFound => Self::not_found("MAIL_REQUEST_NOT_FOUND", text),
            Error::SessionNotFound => Self::not_found("SESSION_NOT_FOUND", text),
            Error::ClientNotFound => Self::not_found("CLIENT_NOT_FOUND", text),
            Error::RotationRunning => Self::precondition("ROTATION_RUNNING", text),
            Error::RoleUnknown(i) => Self::invalid("ROLE_UNKNOWN", text)
                .with_field(&format!("roles[{i}]"), "is not a role"),
            Error::RoleGone => Self::invalid("ROLE_UNKNOWN", text),
            Error::RoleNotFound => Self::not_found("ROLE_NOT_FOUND", text),
            Error::RoleExists => Self::already_exists("ROLE_EXISTS", text),
            Error::RoleBuiltIn => Self::precondition("ROLE_BUILT_IN", text),
            Error::RoleInUse => Self::precondition("ROLE_IN_USE", text),
            Error::TooManyRoles => Self::precondition("TOO_MANY_ROLES", text),
            Error::PermissionUnknown(permission) => Self::invalid("PERMISSION_UNKNOWN", text)
                .with_field("permissions", format!("`{permission}` is not a permission")),
            Error::PermissionNotHeld(_) => Self::denied("PERMISSION_NOT_HELD", text),
            Error::AddressNotFound => Self::not_found("ADDRESS_NOT_FOUND", text),
            Error::TooManyAddresses => Self::precondition("TOO_MANY_ADDRESSES", text),
            Error::DefaultAddressNeeded => Self::precondition("DEFAULT_ADDRESS_NEEDED", text),
            Error::CountryUnknown => Self::invalid("COUNTRY_UNKNOWN", text),
            Error::Elsewhere(cause) => {
                tracing::warn!(error = cause, "a service that keeps personal data is away");
                Self::unavailable("DEPENDENCY_UNAVAILABLE", "not all services answer")
            }
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
    use proto::policy;

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
        assert!(policy::role(CUSTOMER).is_some());
        assert!(policy::permits([ADMIN], "users:write"));
    }

    #[test]
    fn our_own_faults_are_not_told() {
        let problem = Problem::from(Error::internal("relation users does not exist"));
        assert!(!format!("{problem:?}").contains("relation"));
    }
}
