//! Keys, tokens and the audit log, by gRPC.

use std::sync::Arc;

use grpc::{Caller, Problem};
use proto::identity::v1 as pb;
use proto::identity::v1::security_service_server::SecurityService;
use secrecy::ExposeSecret;
use tonic::{Request, Response};
use types::{PageSize, PageToken};

use super::origin::origin;
use super::{Answer, convert};
use crate::core::Security;

/// Serves [`Security`] by gRPC.
pub struct SecurityApi {
    core: Arc<Security>,
}

impl SecurityApi {
    pub fn new(core: Arc<Security>) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl SecurityService for SecurityApi {
    async fn list_signing_keys(
        &self,
        request: Request<pb::ListSigningKeysRequest>,
    ) -> Answer<pb::ListSigningKeysResponse> {
        let pb::ListSigningKeysRequest {} = request.into_inner();
        let keys = self.core.keys().await.map_err(Problem::from)?;
        let keys = keys.into_iter().map(|(key, state)| convert::signing_key(key, state)).collect();
        Ok(Response::new(pb::ListSigningKeysResponse { keys }))
    }

    async fn rotate_signing_keys(
        &self,
        request: Request<pb::RotateSigningKeysRequest>,
    ) -> Answer<pb::SigningKey> {
        let (operator, origin) = (Caller::user_of(&request)?.id, origin(&request));
        let pb::RotateSigningKeysRequest { reason } = request.into_inner();
        let made = self.core.rotate(operator, &reason, &origin).await.map_err(Problem::from)?;
        let state = crate::domain::KeyState::Published;
        Ok(Response::new(convert::signing_key(made, state)))
    }

    async fn introspect_token(
        &self,
        request: Request<pb::IntrospectTokenRequest>,
    ) -> Answer<pb::TokenIntrospection> {
        let pb::IntrospectTokenRequest { token } = request.into_inner();
        let found = self.core.introspect(&token).await.map_err(Problem::from)?;
        // Of what is not active nothing else is said (RFC 7662, section 2.2).
        Ok(Response::new(found.map(convert::introspection).unwrap_or_default()))
    }

    async fn mint_mail_token(
        &self,
        request: Request<pb::MintMailTokenRequest>,
    ) -> Answer<pb::MailToken> {
        let pb::MintMailTokenRequest { mail_request_id } = request.into_inner();
        let id = grpc::convert::parse_id("mail_request_id", &mail_request_id)?;
        let (token, expires_at) = self.core.mint_mail_token(id).await.map_err(Problem::from)?;
        let token = token.expose_secret().to_owned();
        let expire_time = Some(grpc::convert::timestamp(expires_at));
        Ok(Response::new(pb::MailToken { token, expire_time }))
    }

    async fn list_security_events(
        &self,
        request: Request<pb::ListSecurityEventsRequest>,
    ) -> Answer<pb::ListSecurityEventsResponse> {
        let pb::ListSecurityEventsRequest { user_id, page_size, page_token } = request.into_inner();
        let user = grpc::convert::parse_id("user_id", &user_id)?;
        let size = PageSize::from_request(page_size);
        let before = PageToken::decode::<i64>(&page_token)
            .map_err(|e| Problem::invalid("PAGE_TOKEN_INVALID", e.to_string()))?;
        let events = self.core.events(user, size, before).await.map_err(Problem::from)?;
        let (events, next_page_token) = size.cut(events, |last| last.sequence);
        let events = events.into_iter().map(convert::security_event).collect();
        Ok(Response::new(pb::ListSecurityEventsResponse { events, next_page_token }))
    }

    async fn verify_audit_log(
        &self,
        request: Request<pb::VerifyAuditLogRequest>,
    ) -> Answer<pb::AuditLogVerification> {
        let pb::VerifyAuditLogRequest {} = request.into_inner();
        let followed = self.core.verify_log().await.map_err(Problem::from)?;
        Ok(Response::new(convert::verification(followed)))
    }
}
