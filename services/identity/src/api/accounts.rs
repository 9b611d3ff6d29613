//! What people do with their own account, by gRPC.

use std::io::{Cursor, Write as _};
use std::sync::Arc;

use grpc::{Caller, Problem};
use proto::google::api::HttpBody;
use proto::identity::v1 as pb;
use proto::identity::v1::account_service_server::AccountService;
use secrecy::ExposeSecret;
use tonic::{Request, Response};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::origin::origin;
use super::{Answer, convert};
use crate::core::{Accounts, Erasure, Error};

/// Serves [`Accounts`] by gRPC.
pub struct AccountApi {
    core: Arc<Accounts>,
    erasure: Arc<Erasure>,
}

impl AccountApi {
    pub fn new(core: Arc<Accounts>, erasure: Arc<Erasure>) -> Self {
        Self { core, erasure }
    }
}

fn done(result: Result<(), Error>) -> Answer<()> {
    Ok(Response::new(result.map_err(Problem::from)?))
}

#[tonic::async_trait]
impl AccountService for AccountApi {
    async fn request_email_verification(
        &self,
        request: Request<pb::RequestEmailVerificationRequest>,
    ) -> Answer<()> {
        let user = Caller::user_of(&request)?.id;
        let pb::RequestEmailVerificationRequest {} = request.into_inner();
        done(self.core.ask_for_verification(user).await)
    }

    async fn verify_email(&self, request: Request<pb::VerifyEmailRequest>) -> Answer<()> {
        let origin = origin(&request);
        let pb::VerifyEmailRequest { token } = request.into_inner();
        done(self.core.verify_email(&token.into(), &origin).await)
    }

    async fn request_password_reset(
        &self,
        request: Request<pb::RequestPasswordResetRequest>,
    ) -> Answer<()> {
        let origin = origin(&request);
        let pb::RequestPasswordResetRequest { email } = request.into_inner();
        done(self.core.ask_for_reset(&email, &origin).await)
    }

    async fn reset_password(&self, request: Request<pb::ResetPasswordRequest>) -> Answer<()> {
        let origin = origin(&request);
        let pb::ResetPasswordRequest { token, new_password } = request.into_inner();
        done(self.core.reset_password(&token.into(), new_password.into(), &origin).await)
    }

    async fn change_password(&self, request: Request<pb::ChangePasswordRequest>) -> Answer<()> {
        let (user, origin) = (Caller::user_of(&request)?.clone(), origin(&request));
        let pb::ChangePasswordRequest { current_password, new_password } = request.into_inner();
        let (current, new) = (current_password.into(), new_password.into());
        done(self.core.change_password(user.id, user.session, current, new, &origin).await)
    }

    async fn list_sessions(
        &self,
        request: Request<pb::ListSessionsRequest>,
    ) -> Answer<pb::ListSessionsResponse> {
        let user = Caller::user_of(&request)?.clone();
        let pb::ListSessionsRequest {} = request.into_inner();
        let sessions = self.core.sessions(user.id).await.map_err(Problem::from)?;
        let shown = |session| convert::sign_in(session, user.session);
        let sessions = sessions.into_iter().map(shown).collect();
        Ok(Response::new(pb::ListSessionsResponse { sessions }))
    }

    async fn revoke_session(&self, request: Request<pb::RevokeSessionRequest>) -> Answer<()> {
        let (user, origin) = (Caller::user_of(&request)?.id, origin(&request));
        let pb::RevokeSessionRequest { session_id } = request.into_inner();
        let session = grpc::convert::parse_id("session_id", &session_id)?;
        done(self.core.end_session(user, session, &origin).await)
    }

    async fn enroll_second_factor(
        &self,
        request: Request<pb::EnrollSecondFactorRequest>,
    ) -> Answer<pb::SecondFactorSecret> {
        let (user, origin) = (Caller::user_of(&request)?.id, origin(&request));
        let pb::EnrollSecondFactorRequest { current_password } = request.into_inner();
        let begun = self.core.enroll(user, current_password.into(), &origin).await;
        let begun = begun.map_err(Problem::from)?;
        let secret = begun.secret.expose_secret().to_owned();
        let uri = begun.uri.expose_secret().to_owned();
        Ok(Response::new(pb::SecondFactorSecret { secret, uri }))
    }

    async fn confirm_second_factor(
        &self,
        request: Request<pb::ConfirmSecondFactorRequest>,
    ) -> Answer<pb::RecoveryCodes> {
        let (user, origin) = (Caller::user_of(&request)?.id, origin(&request));
        let pb::ConfirmSecondFactorRequest { code } = request.into_inner();
        let codes = self.core.confirm(user, &code, &origin).await.map_err(Problem::from)?;
        let codes = codes.iter().map(|code| code.expose_secret().to_owned()).collect();
        Ok(Response::new(pb::RecoveryCodes { codes }))
    }

    async fn remove_second_factor(
        &self,
        request: Request<pb::RemoveSecondFactorRequest>,
    ) -> Answer<()> {
        let (user, origin) = (Caller::user_of(&request)?.id, origin(&request));
        let pb::RemoveSecondFactorRequest { current_password, code } = request.into_inner();
        done(self.core.remove_factor(user, current_password.into(), &code, &origin).await)
    }

    async fn export_me(&self, request: Request<pb::ExportMeRequest>) -> Answer<HttpBody> {
        let user = Caller::user_of(&request)?.id;
        let pb::ExportMeRequest {} = request.into_inner();
        let documents = self.erasure.export(user).await.map_err(Problem::from)?;
        let data = archive(&documents).map_err(Problem::internal)?;
        let content_type = "application/zip".to_owned();
        Ok(Response::new(HttpBody { content_type, data, extensions: Vec::new() }))
    }

    async fn close_account(&self, request: Request<pb::CloseAccountRequest>) -> Answer<()> {
        let (user, origin) = (Caller::user_of(&request)?.id, origin(&request));
        let pb::CloseAccountRequest { current_password } = request.into_inner();
        done(self.core.close(user, current_password.into(), &origin).await)
    }
}

/// A file for each document.
fn archive(documents: &[(&'static str, String)]) -> zip::result::ZipResult<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, document) in documents {
        archive.start_file(format!("{name}.json"), SimpleFileOptions::default())?;
        archive.write_all(document.as_bytes())?;
    }
    Ok(archive.finish()?.into_inner())
}
