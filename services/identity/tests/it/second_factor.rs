//! Signing in with an authenticator app.

use futures::future::join_all;
use proto::identity::v1::{
    ConfirmSecondFactorRequest, EnrollSecondFactorRequest, RemoveSecondFactorRequest, Session,
};
use testkit::bearer;
use time::OffsetDateTime;
use tonic::{Code, Status};
use totp_rs::{Algorithm, Secret, TOTP};

use crate::world::{PASSWORD, World, login, login_with_code, me, refused};

const EMAIL: &str = "ada@example.com";

/// An app that knows the secret.
struct App(TOTP);

impl App {
    fn new(secret: &str) -> Self {
        let secret = Secret::Encoded(secret.to_owned()).to_bytes().unwrap();
        let (issuer, account) = (Some("Stoa".to_owned()), "ada".to_owned());
        Self(TOTP::new(Algorithm::SHA1, 6, 0, 30, secret, issuer, account).unwrap())
    }

    /// The code of a time step: 0 is now, 1 the next.
    fn code(&self, step: i64) -> String {
        self.0.generate((OffsetDateTime::now_utc().unix_timestamp() + 30 * step) as u64)
    }
}

impl World {
    async fn enroll(&self, session: &Session) -> Result<App, Status> {
        let request = EnrollSecondFactorRequest { current_password: PASSWORD.to_owned() };
        let request = bearer(request, &session.access_token);
        let begun = self.accounts().enroll_second_factor(request).await?;
        Ok(App::new(&begun.into_inner().secret))
    }

    async fn confirm(&self, session: &Session, code: String) -> Result<Vec<String>, Status> {
        let request = bearer(ConfirmSecondFactorRequest { code }, &session.access_token);
        Ok(self.accounts().confirm_second_factor(request).await?.into_inner().codes)
    }

    async fn remove(&self, session: &Session, password: &str, code: &str) -> Result<(), Status> {
        let (current_password, code) = (password.to_owned(), code.to_owned());
        let request = RemoveSecondFactorRequest { current_password, code };
        let request = bearer(request, &session.access_token);
        self.accounts().remove_second_factor(request).await.map(drop)
    }

    async fn sign_in(&self, code: &str) -> Result<Session, Status> {
        login_with_code(&self.client(), EMAIL, PASSWORD, code).await
    }

    /// Somebody with a second factor, their app and recovery codes. The code of the
    /// step before has been used.
    async fn with_factor(&self) -> (Session, App, Vec<String>) {
        let session = self.register(EMAIL).await;
        let app = self.enroll(&session).await.unwrap();
        // The step may have ended on the way.
        let codes = match self.confirm(&session, app.code(-1)).await {
            Err(status) if testkit::reason(&status) == "CODE_WRONG" => {
                self.confirm(&session, app.code(-1)).await
            }
            confirmed => confirmed,
        };
        (session, app, codes.unwrap())
    }
}

#[tokio::test]
async fn once_confirmed_signing_in_needs_a_code() {
    let world = World::start().await;
    let session = world.register(EMAIL).await;
    let app = world.enroll(&session).await.unwrap();
    // Begun, not confirmed: nothing has changed.
    assert!(world.sign_in("").await.is_ok());
    refused(
        world.confirm(&session, "000000".to_owned()).await,
        Code::InvalidArgument,
        "CODE_WRONG",
    );
    world.confirm(&session, app.code(-1)).await.unwrap();
    assert!(me(&world.client(), &session.access_token).await.unwrap().second_factor);

    refused(world.sign_in("").await, Code::Unauthenticated, "SECOND_FACTOR_REQUIRED");
    refused(world.sign_in("000000").await, Code::Unauthenticated, "BAD_CREDENTIALS");
    assert!(world.sign_in(&app.code(0)).await.is_ok());
    // Who does not know the password learns nothing of the second factor.
    let wrong = login(&world.client(), EMAIL, "not the password").await;
    refused(wrong, Code::Unauthenticated, "BAD_CREDENTIALS");
}

#[tokio::test]
async fn a_code_works_once_also_when_it_comes_many_times_at_once() {
    let world = World::start().await;
    let (_, app, _) = world.with_factor().await;
    let code = app.code(0);
    let all = join_all((0..5).map(|_| world.sign_in(&code))).await;
    assert_eq!(all.iter().filter(|answer| answer.is_ok()).count(), 1, "{all:?}");
    assert!(world.sign_in(&app.code(1)).await.is_ok());
    refused(world.sign_in(&code).await, Code::Unauthenticated, "BAD_CREDENTIALS");
}

#[tokio::test]
async fn a_recovery_code_works_once_in_place_of_the_app() {
    let world = World::start().await;
    let (_, _, codes) = world.with_factor().await;
    assert_eq!(codes.len(), 10);
    assert!(world.sign_in(&codes[3].to_uppercase()).await.is_ok());
    refused(world.sign_in(&codes[3]).await, Code::Unauthenticated, "BAD_CREDENTIALS");
    assert!(world.sign_in(&codes[4]).await.is_ok());
}

#[tokio::test]
async fn it_is_removed_with_password_and_code_and_can_be_begun_again() {
    let world = World::start().await;
    let (session, app, codes) = world.with_factor().await;
    let again = world.enroll(&session).await.map(drop);
    refused(again, Code::FailedPrecondition, "SECOND_FACTOR_ACTIVE");
    let wrong = world.remove(&session, "not the password", &app.code(0)).await;
    refused(wrong, Code::InvalidArgument, "PASSWORD_WRONG");
    let wrong = world.remove(&session, PASSWORD, "000000").await;
    refused(wrong, Code::InvalidArgument, "CODE_WRONG");
    world.remove(&session, PASSWORD, &codes[0]).await.unwrap();
    assert!(world.sign_in("").await.is_ok());
    let gone = world.remove(&session, PASSWORD, &codes[1]).await;
    refused(gone, Code::FailedPrecondition, "SECOND_FACTOR_NOT_ENROLLED");
    let app = world.enroll(&session).await.unwrap();
    world.confirm(&session, app.code(0)).await.unwrap();
}

#[tokio::test]
async fn its_secret_is_sealed_where_it_is_kept() {
    let world = World::start().await;
    let session = world.register(EMAIL).await;
    let app = world.enroll(&session).await.unwrap();
    let kept: Vec<u8> = sqlx::query_scalar("select secret from second_factors")
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert!(!kept.windows(app.0.secret.len()).any(|window| window == app.0.secret));
}
