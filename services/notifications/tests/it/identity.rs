//! An identity service that publishes a key, makes tokens for e-mails, and refuses or
//! goes away when it is told to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use grpc::{KeySource, Problem, Server, Verifier};
use proto::identity::v1::identity_service_server::{IdentityService, IdentityServiceServer};
use proto::identity::v1::security_service_server::{SecurityService, SecurityServiceServer};
use proto::identity::v1::*;
use runtime::Shutdown;
use testkit::Platform;
use tokio::sync::watch;
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// How tokens are asked for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Makes,
    TooLate,
    Away,
}

#[derive(Clone)]
pub struct Identity {
    key: Jwk,
    mood: Arc<Mutex<Mood>>,
    /// The tokens made, by request, in order.
    made: Arc<Mutex<HashMap<String, Vec<String>>>>,
}

impl Identity {
    pub fn of(platform: &Platform) -> Self {
        Self {
            key: platform.key().jwk(),
            mood: Arc::new(Mutex::new(Mood::Makes)),
            made: Arc::default(),
        }
    }

    /// Serves as workload `identity`.
    pub async fn serve(&self, platform: &Platform, shutdown: Shutdown) -> SocketAddr {
        let host = platform.host("identity");
        let verifier = Verifier::without_sessions(&host.token, self.clone());
        let server = Server::bind("identity", &host.server, &platform.mesh("identity"), verifier)
            .await
            .unwrap()
            .add(IdentityServiceServer::new(self.clone()))
            .add(SecurityServiceServer::new(self.clone()));
        let addr = server.addr().unwrap();
        tokio::spawn(async move {
            let (_ready, followed) = watch::channel(true);
            server.run(followed, shutdown).await.unwrap();
        });
        addr
    }

    /// Nobody waits for any mail any more.
    pub fn say_too_late(&self) {
        *self.mood.lock().unwrap() = Mood::TooLate;
    }

    pub fn go_away(&self) {
        *self.mood.lock().unwrap() = Mood::Away;
    }

    pub fn come_back(&self) {
        *self.mood.lock().unwrap() = Mood::Makes;
    }

    /// The tokens made for a request, in order.
    pub fn tokens_of(&self, request: Uuid) -> Vec<String> {
        self.made.lock().unwrap().get(&request.to_string()).cloned().unwrap_or_default()
    }
}

#[async_trait]
impl KeySource for Identity {
    async fn keys(&self) -> Result<Vec<Jwk>, Problem> {
        Ok(vec![self.key.clone()])
    }
}

macro_rules! service_of_one_method {
    ($service:ident: $one:item $($name:ident($request:ty) -> $answer:ty;)*) => {
        #[tonic::async_trait]
        impl $service for Identity {
            $one

            $(async fn $name(&self, _: Request<$request>) -> Result<Response<$answer>, Status> {
                Err(Status::unimplemented("notifications do not need this"))
            })*
        }
    };
}

service_of_one_method! {
    SecurityService:
    async fn mint_mail_token(
        &self,
        request: Request<MintMailTokenRequest>,
    ) -> Result<Response<MailToken>, Status> {
        match *self.mood.lock().unwrap() {
            Mood::Makes => {}
            Mood::TooLate => return Err(Problem::not_found("MAIL_REQUEST_NOT_FOUND", "no").into()),
            Mood::Away => return Err(Problem::unavailable("DATABASE_UNAVAILABLE", "no").into()),
        }
        // Something that has to be encoded in a link.
        let token = format!("Zanzibar+{}", Uuid::now_v7().simple());
        let MintMailTokenRequest { mail_request_id } = request.into_inner();
        self.made.lock().unwrap().entry(mail_request_id).or_default().push(token.clone());
        Ok(Response::new(MailToken { token, expire_time: None }))
    }
    list_signing_keys(ListSigningKeysRequest) -> ListSigningKeysResponse;
    rotate_signing_keys(RotateSigningKeysRequest) -> SigningKey;
    introspect_token(IntrospectTokenRequest) -> TokenIntrospection;
    list_security_events(ListSecurityEventsRequest) -> ListSecurityEventsResponse;
    verify_audit_log(VerifyAuditLogRequest) -> AuditLogVerification;
}

service_of_one_method! {
    IdentityService:
    async fn get_jwks(&self, _: Request<GetJwksRequest>) -> Result<Response<Jwks>, Status> {
        Ok(Response::new(Jwks { keys: vec![self.key.clone()] }))
    }
    register(RegisterRequest) -> Session;
    login(LoginRequest) -> Session;
    refresh(RefreshRequest) -> Session;
    logout(LogoutRequest) -> ();
    get_me(GetMeRequest) -> User;
    update_me(UpdateMeRequest) -> User;
    list_users(ListUsersRequest) -> ListUsersResponse;
    get_user(GetUserRequest) -> User;
    set_user_roles(SetUserRolesRequest) -> User;
    list_revocations(ListRevocationsRequest) -> ListRevocationsResponse;
}
