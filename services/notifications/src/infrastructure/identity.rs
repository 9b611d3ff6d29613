//! Tokens for e-mails, from the identity service.

use async_trait::async_trait;
use grpc::MeshChannel;
use grpc::problem::reason_of;
use proto::identity::v1::security_service_client::SecurityServiceClient;
use proto::identity::v1::{MailToken, MintMailTokenRequest};
use secrecy::SecretString;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::core::ports::{MailTokens, NoToken};

/// The identity service.
pub struct GrpcMailTokens {
    client: SecurityServiceClient<MeshChannel>,
}

impl GrpcMailTokens {
    pub fn new(channel: MeshChannel) -> Self {
        Self { client: SecurityServiceClient::new(channel) }
    }
}

#[async_trait]
impl MailTokens for GrpcMailTokens {
    async fn mint(&self, mail_request_id: Uuid) -> Result<SecretString, NoToken> {
        let request = MintMailTokenRequest { mail_request_id: mail_request_id.to_string() };
        let answer = self.client.clone().mint_mail_token(request).await.map_err(no_token)?;
        let MailToken { token, expire_time: _ } = answer.into_inner();
        if token.is_empty() {
            return Err(NoToken::Unreachable("identity answered no token".to_owned()));
        }
        Ok(token.into())
    }
}

/// Only identity's own word that it is too late is believed.
fn no_token(status: Status) -> NoToken {
    let reason = reason_of(&status);
    if status.code() == Code::NotFound && reason == "MAIL_REQUEST_NOT_FOUND" {
        return NoToken::TooLate;
    }
    NoToken::Unreachable(format!("identity: {:?} {reason}", status.code()))
}

#[cfg(test)]
mod tests {
    use grpc::Problem;

    use super::*;

    #[test]
    fn too_late_is_what_identity_says_and_nothing_else() {
        let late = Problem::not_found("MAIL_REQUEST_NOT_FOUND", "no");
        assert_eq!(no_token(late.into()), NoToken::TooLate);
        for status in [
            Status::not_found("404 from a proxy"),
            Problem::unavailable("CIRCUIT_OPEN", "no").into(),
            Problem::internal("no").into(),
            Problem::unimplemented("no").into(),
        ] {
            assert!(matches!(no_token(status), NoToken::Unreachable(_)));
        }
    }
}
