//! The register of applications, by gRPC.

use grpc::{Caller, Problem};
use proto::identity::v1 as pb;
use proto::identity::v1::client_service_server::ClientService;
use secrecy::ExposeSecret;
use tonic::{Request, Response};

use super::origin::origin;
use super::{Answer, convert};
use crate::core::oauth::clients::{NewClient, Register};
use crate::core::roles::Actor;

/// Serves [`Register`] by gRPC.
pub struct ClientApi {
    core: Register,
}

impl ClientApi {
    pub fn new(core: Register) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl ClientService for ClientApi {
    async fn create_client(
        &self,
        request: Request<pb::CreateClientRequest>,
    ) -> Answer<pb::CreateClientResponse> {
        let (by, origin) = (Caller::user_of(&request)?.id, origin(&request));
        let pb::CreateClientRequest {
            display_name,
            redirect_uris,
            post_logout_redirect_uris,
            confidential,
            first_party,
            roles,
        } = request.into_inner();
        for (field, uris) in [
            ("redirect_uris", &redirect_uris),
            ("post_logout_redirect_uris", &post_logout_redirect_uris),
        ] {
            check_uris(field, uris)?;
        }
        if !confidential && !roles.is_empty() {
            let text = "only an application with a secret has roles of its own";
            return Err(Problem::field("roles", text).into());
        }
        let logout_uris = post_logout_redirect_uris;
        let new = NewClient {
            name: display_name,
            redirect_uris,
            logout_uris,
            confidential,
            first_party,
            roles,
        };
        let by = Actor { id: by, origin: &origin };
        let (client, secret) = self.core.add(new, &by).await.map_err(Problem::from)?;
        let client_secret = secret.map(|s| s.expose_secret().to_owned()).unwrap_or_default();
        let client = Some(convert::client(client));
        Ok(Response::new(pb::CreateClientResponse { client, client_secret }))
    }

    async fn list_clients(
        &self,
        request: Request<pb::ListClientsRequest>,
    ) -> Answer<pb::ListClientsResponse> {
        let pb::ListClientsRequest {} = request.into_inner();
        let clients = self.core.list().await.map_err(Problem::from)?;
        let clients = clients.into_iter().map(convert::client).collect();
        Ok(Response::new(pb::ListClientsResponse { clients }))
    }

    async fn delete_client(&self, request: Request<pb::DeleteClientRequest>) -> Answer<()> {
        let (by, origin) = (Caller::user_of(&request)?.id, origin(&request));
        let pb::DeleteClientRequest { client_id } = request.into_inner();
        let id = grpc::convert::parse_id("client_id", &client_id)?;
        let by = Actor { id: by, origin: &origin };
        self.core.remove(id, &by).await.map_err(Problem::from)?;
        Ok(Response::new(()))
    }
}

/// Whole addresses over TLS, or of the same machine (RFC 8252, section 7.3), without a
/// fragment (RFC 6749, section 3.1.2).
fn check_uris(field: &str, uris: &[String]) -> Result<(), Problem> {
    let good = |uri: &String| {
        let parsed = uri.parse::<axum::http::Uri>();
        parsed.is_ok_and(|parsed| {
            let local = matches!(parsed.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
            let scheme = parsed.scheme_str();
            let has_host = parsed.host().is_some_and(|host| !host.is_empty());
            has_host && (scheme == Some("https") || scheme == Some("http") && local)
        }) && !uri.contains('#')
    };
    match uris.iter().position(|uri| !good(uri)) {
        None => Ok(()),
        Some(i) => {
            let text = "is not an https address, or one of this machine, without a fragment";
            Err(Problem::field(&format!("{field}[{i}]"), text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_over_tls_or_on_the_same_machine() {
        let good = |uri: &str| check_uris("redirect_uris", &[uri.to_owned()]).is_ok();
        for uri in ["https://app.example/cb", "http://localhost:3000/cb", "http://127.0.0.1/cb?x=1"]
        {
            assert!(good(uri), "{uri}");
        }
        for uri in [
            "http://app.example/cb",
            "https://app.example/cb#x",
            "/cb",
            "javascript:alert(1)",
            "https://",
            "ftp://app.example",
            "http://localhost.evil.example/cb",
        ] {
            assert!(!good(uri), "{uri}");
        }
    }
}
