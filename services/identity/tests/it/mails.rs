//! Tokens in mails: proof of an address, and a new password for a forgotten one.

use prost::Message;
use proto::Fact as _;
use proto::identity::v1::{
    MailPurpose, MailTokenRequested, MintMailTokenRequest, RequestEmailVerificationRequest,
    RequestPasswordResetRequest, ResetPasswordRequest, VerifyEmailRequest,
};
use testkit::bearer;
use tonic::{Code, Status};

use crate::world::{PASSWORD, World, login, me, refresh, refused};

const INVALID: (Code, &str) = (Code::InvalidArgument, "MAIL_TOKEN_INVALID");

impl World {
    /// Every mail that was asked for, oldest first.
    async fn mails(&self, purpose: MailPurpose) -> Vec<MailTokenRequested> {
        let sql = "select payload from outbox where topic = $1 order by position";
        let facts: Vec<Vec<u8>> = sqlx::query_scalar(sql)
            .bind(MailTokenRequested::INFO.topic)
            .fetch_all(self.pool())
            .await
            .unwrap();
        let facts = facts.iter().map(|bytes| MailTokenRequested::decode(&bytes[..]).unwrap());
        facts.filter(|fact| fact.purpose() == purpose).collect()
    }

    /// The token of a mail, as whoever hands it over gets it.
    async fn mint(&self, mail: &MailTokenRequested) -> Result<String, Status> {
        let mail_request_id = mail.mail_request_id.clone();
        let request = MintMailTokenRequest { mail_request_id };
        let answer = self.security_as("notifications").mint_mail_token(request).await?;
        Ok(answer.into_inner().token)
    }

    async fn verify(&self, token: &str) -> Result<(), Status> {
        let request = VerifyEmailRequest { token: token.to_owned() };
        self.accounts().verify_email(request).await.map(drop)
    }

    async fn forgot(&self, email: &str) {
        let request = RequestPasswordResetRequest { email: email.to_owned() };
        self.accounts().request_password_reset(request).await.unwrap();
    }

    async fn reset(&self, token: &str, new_password: &str) -> Result<(), Status> {
        let (token, new_password) = (token.to_owned(), new_password.to_owned());
        let request = ResetPasswordRequest { token, new_password };
        self.accounts().reset_password(request).await.map(drop)
    }

    /// As if all that was asked for had been asked for so long ago.
    async fn age_mails(&self, interval: &str) {
        sqlx::query(
            "update mail_requests
             set created_at = created_at - $1::interval, expires_at = expires_at - $1::interval",
        )
        .bind(interval)
        .execute(self.pool())
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn whoever_registers_proves_the_address_by_the_token_of_a_mail() {
    let world = World::start().await;
    let session = world.register("ada@example.com").await;
    assert!(!session.user.unwrap().email_verified);
    let [mail] = world.mails(MailPurpose::VerifyEmail).await.try_into().unwrap();
    let token = world.mint(&mail).await.unwrap();
    world.verify(&token).await.unwrap();
    assert!(me(&world.client(), &session.access_token).await.unwrap().email_verified);
    refused(world.verify(&token).await, INVALID.0, INVALID.1);
    let again = bearer(RequestEmailVerificationRequest {}, &session.access_token);
    let again = world.accounts().request_email_verification(again).await;
    refused(again, Code::FailedPrecondition, "EMAIL_VERIFIED");
}

#[tokio::test]
async fn only_the_hash_of_a_token_is_kept_and_a_newer_token_replaces_it() {
    let world = World::start().await;
    let session = world.register("ada@example.com").await;
    let [mail] = world.mails(MailPurpose::VerifyEmail).await.try_into().unwrap();
    let first = world.mint(&mail).await.unwrap();
    let kept: i64 = sqlx::query_scalar(
        "select (select count(*) from mail_requests m where m::text like '%' || $1 || '%')
              + (select count(*) from outbox o where o::text like '%' || $1 || '%')",
    )
    .bind(&first)
    .fetch_one(world.pool())
    .await
    .unwrap();
    assert_eq!(kept, 0);
    // The mail was not taken and is handed over again.
    let second = world.mint(&mail).await.unwrap();
    refused(world.verify(&first).await, INVALID.0, INVALID.1);

    // Too soon; then another mail, and the one before is worth nothing.
    let ask = || bearer(RequestEmailVerificationRequest {}, &session.access_token);
    let soon = world.accounts().request_email_verification(ask()).await;
    refused(soon, Code::ResourceExhausted, "TOO_MANY_MAILS");
    world.age_mails("2 minutes").await;
    world.accounts().request_email_verification(ask()).await.unwrap();
    refused(world.verify(&second).await, INVALID.0, INVALID.1);
    refused(world.mint(&mail).await, Code::NotFound, "MAIL_REQUEST_NOT_FOUND");
    let [_, newer] = world.mails(MailPurpose::VerifyEmail).await.try_into().unwrap();
    world.verify(&world.mint(&newer).await.unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_and_every_session_ends() {
    let world = World::start().await;
    let session = world.register("ada@example.com").await;
    world.forgot("ADA@example.com").await;
    let [mail] = world.mails(MailPurpose::ResetPassword).await.try_into().unwrap();
    let token = world.mint(&mail).await.unwrap();
    refused(world.reset(&token, "password123").await, Code::InvalidArgument, "PASSWORD_COMMON");
    world.reset(&token, "a new and better one").await.unwrap();
    refused(world.reset(&token, "yet another one").await, INVALID.0, INVALID.1);

    let client = world.client();
    let dead = refresh(&client, &session.refresh_token).await;
    refused(dead, Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
    let old = login(&client, "ada@example.com", PASSWORD).await;
    refused(old, Code::Unauthenticated, "BAD_CREDENTIALS");
    let signed_in = login(&client, "ada@example.com", "a new and better one").await.unwrap();
    // Whoever has read the mail has proven the address.
    assert!(signed_in.user.unwrap().email_verified);
}

#[tokio::test]
async fn nobody_learns_by_a_reset_whether_there_is_an_account() {
    let world = World::start().await;
    world.register("ada@example.com").await;
    for email in ["nobody@example.com", "ada@example.com", "ada@example.com", "' or 1=1 --"] {
        world.forgot(email).await;
    }
    // The second came too soon after the first.
    assert_eq!(world.mails(MailPurpose::ResetPassword).await.len(), 1);
}

#[tokio::test]
async fn a_token_works_for_its_purpose_and_for_a_while() {
    let world = World::start().await;
    world.register("ada@example.com").await;
    world.forgot("ada@example.com").await;
    let [verify] = world.mails(MailPurpose::VerifyEmail).await.try_into().unwrap();
    let [reset] = world.mails(MailPurpose::ResetPassword).await.try_into().unwrap();
    let (verify, reset_token) =
        (world.mint(&verify).await.unwrap(), world.mint(&reset).await.unwrap());
    refused(world.verify(&reset_token).await, INVALID.0, INVALID.1);
    refused(world.reset(&verify, "a new and better one").await, INVALID.0, INVALID.1);
    refused(world.verify("never given out").await, INVALID.0, INVALID.1);
    world.age_mails("1 hour").await;
    refused(world.reset(&reset_token, "a new and better one").await, INVALID.0, INVALID.1);
    refused(world.mint(&reset).await, Code::NotFound, "MAIL_REQUEST_NOT_FOUND");
    world.verify(&verify).await.unwrap();
}

#[tokio::test]
async fn only_notifications_may_have_tokens_made() {
    let world = World::start().await;
    world.register("ada@example.com").await;
    let [mail] = world.mails(MailPurpose::VerifyEmail).await.try_into().unwrap();
    for workload in ["edge", "orders", "tools"] {
        let request = MintMailTokenRequest { mail_request_id: mail.mail_request_id.clone() };
        let answer = world.security_as(workload).mint_mail_token(request).await;
        refused(answer, Code::PermissionDenied, "CALLER_NOT_ALLOWED");
    }
}
