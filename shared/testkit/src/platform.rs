//! What surrounds a service under test: a certificate authority, a signing key,
//! and an identity service that publishes it.

use std::net::SocketAddr;
use std::path::Path;

use async_trait::async_trait;
use clap::Parser;
use grpc::{
    HostConfig, KeySource, Mesh, MeshChannel, MeshConfig, Problem, Server, TokenConfig, Verifier,
};
use proto::identity::v1::identity_service_server::{IdentityService, IdentityServiceServer};
use proto::identity::v1::{
    GetJwksRequest, GetMeRequest, GetUserRequest, Jwk, Jwks, ListRevocationsRequest,
    ListRevocationsResponse, ListUsersRequest, ListUsersResponse, LoginRequest, LogoutRequest,
    RefreshRequest, RegisterRequest, Session, SetUserRolesRequest, UpdateMeRequest, User,
};
use runtime::Shutdown;
use tempfile::TempDir;
use tokio::sync::watch;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::pki::Authority;
use crate::sessions::Sessions;
use crate::tokens::SigningKey;

/// The surroundings of one test; all of it ends with the value.
pub struct Platform {
    dir: TempDir,
    authority: Authority,
    key: SigningKey,
    identity: SocketAddr,
    sessions: Sessions,
    shutdown: Shutdown,
}

impl Platform {
    /// Makes keys and starts the identity service on a free port.
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (authority, key, shutdown) = (Authority::new(), SigningKey::new(), Shutdown::new());
        let mesh_config = authority.issue(dir.path(), "identity");
        let mesh = Mesh::load(&mesh_config).expect("the certificates just made");
        let host = host_config(mesh_config);
        let published = Published { key: key.jwk(), sessions: Sessions::default() };
        let sessions = published.sessions.clone();
        let verifier = Verifier::without_sessions(&host.token, published.clone());
        let server = Server::bind("identity", &host.server, &mesh, verifier)
            .await
            .expect("a free port")
            .add(IdentityServiceServer::new(published));
        let identity = server.addr().expect("a bound port");
        let (ready, followed) = watch::channel(true);
        let stop = shutdown.clone();
        tokio::spawn(async move {
            let _ready = ready;
            server.run(followed, stop).await.expect("the identity service runs");
        });
        Self { dir, authority, key, identity, sessions, shutdown }
    }

    /// Settings of a workload under test, on free ports.
    pub fn host(&self, workload: &str) -> HostConfig {
        host_config(self.authority.issue(self.dir.path(), workload))
    }

    /// The setting `IDENTITY_URL`.
    pub fn identity_url(&self) -> String {
        format!("https://{}", self.identity)
    }

    /// What the identity service says of sessions that have ended.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The signing key that the identity service publishes.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// An access token of a user with these roles.
    pub fn token(&self, user: Uuid, roles: &[&str]) -> String {
        self.key.sign(&self.key.claims(user, roles))
    }

    /// An access token that was good an hour ago.
    pub fn expired_token(&self, user: Uuid, roles: &[&str]) -> String {
        let mut claims = self.key.claims(user, roles);
        claims.iat -= 3600;
        claims.exp -= 3600;
        self.key.sign(&claims)
    }

    /// A channel to workload `to` at `addr`, with the certificate of `from`.
    pub fn channel(&self, from: &str, addr: SocketAddr, to: &'static str) -> MeshChannel {
        self.mesh(from).channel(&format!("https://{addr}"), to).expect("a channel")
    }

    /// The identity of a workload.
    pub fn mesh(&self, workload: &str) -> Mesh {
        Mesh::load(&self.authority.issue(self.dir.path(), workload)).expect("fresh certificates")
    }

    /// Where certificates are.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Parsing gives every setting its default, as in a real process.
#[derive(Parser)]
struct Defaults {
    #[command(flatten)]
    host: HostConfig,
}

fn host_config(mesh: MeshConfig) -> HostConfig {
    let free = "127.0.0.1:0";
    let paths = ["--mesh-cert=x", "--mesh-key=x", "--mesh-ca=x"];
    let addrs = [format!("--grpc-addr={free}"), format!("--admin-addr={free}")];
    // Nobody balances load here, and tests ask for much at once.
    let load = ["--drain-notice-ms=0", "--max-in-flight=10000"];
    let args =
        ["test"].into_iter().chain(paths).chain(load).chain(addrs.iter().map(String::as_str));
    HostConfig { mesh, ..Defaults::parse_from(args).host }
}

/// The claims' settings that tests and services share.
pub(crate) fn token_config() -> TokenConfig {
    TokenConfig { jwt_issuer: "https://stoa.local".to_owned(), jwt_audience: "stoa".to_owned() }
}

/// An identity service that knows its key, sessions that have ended, and nobody else.
#[derive(Clone)]
struct Published {
    key: Jwk,
    sessions: Sessions,
}

#[async_trait]
impl KeySource for Published {
    async fn keys(&self) -> Result<Vec<Jwk>, Problem> {
        Ok(vec![self.key.clone()])
    }
}

/// The identity service with what every service asks for, and every other method
/// refused: no service under test calls another.
macro_rules! identity_with_a_key {
    ($($name:ident($request:ty) -> $answer:ty;)*) => {
        #[tonic::async_trait]
        impl IdentityService for Published {
            async fn get_jwks(&self, _: Request<GetJwksRequest>) -> Result<Response<Jwks>, Status> {
                Ok(Response::new(Jwks { keys: vec![self.key.clone()] }))
            }

            async fn list_revocations(
                &self,
                _: Request<ListRevocationsRequest>,
            ) -> Result<Response<ListRevocationsResponse>, Status> {
                Ok(Response::new(self.sessions.tell().await))
            }

            $(async fn $name(&self, _: Request<$request>) -> Result<Response<$answer>, Status> {
                Err(Status::unimplemented("this identity service only publishes a key"))
            })*
        }
    };
}

identity_with_a_key! {
    register(RegisterRequest) -> Session;
    login(LoginRequest) -> Session;
    refresh(RefreshRequest) -> Session;
    logout(LogoutRequest) -> ();
    get_me(GetMeRequest) -> User;
    update_me(UpdateMeRequest) -> User;
    list_users(ListUsersRequest) -> ListUsersResponse;
    get_user(GetUserRequest) -> User;
    set_user_roles(SetUserRolesRequest) -> User;
}
