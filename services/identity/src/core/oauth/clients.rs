//! Applications, as administrators register them.

use std::sync::Arc;

use secrecy::SecretString;
use uuid::Uuid;

use crate::core::ports::Clients;
use crate::core::{Error, opaque};
use crate::domain::oauth::Client;

/// What an administrator says about an application.
pub struct NewClient {
    pub name: String,
    pub redirect_uris: Vec<String>,
    pub logout_uris: Vec<String>,
    /// It can keep a secret: it runs on a server.
    pub confidential: bool,
    pub first_party: bool,
    pub roles: Vec<String>,
}

/// The register of applications.
pub struct Register {
    clients: Arc<dyn Clients>,
}

impl Register {
    pub fn new(clients: Arc<dyn Clients>) -> Self {
        Self { clients }
    }

    /// Registers an application; answers its secret, this once.
    pub async fn add(&self, new: NewClient) -> Result<(Client, Option<SecretString>), Error> {
        let NewClient { name, redirect_uris, logout_uris, confidential, first_party, roles } = new;
        let secret = confidential.then(opaque::generate).transpose()?;
        let client = Client {
            id: Uuid::now_v7(),
            name,
            redirect_uris,
            logout_uris,
            secret_hash: secret.as_ref().map(|secret| opaque::hash(secret).0),
            first_party,
            roles,
            created_at: types::now(),
        };
        self.clients.add(&client).await?;
        tracing::info!(client.id = %client.id, client.name, "an application was registered");
        Ok((client, secret))
    }

    pub async fn list(&self) -> Result<Vec<Client>, Error> {
        self.clients.list().await
    }

    /// Takes one away, and all that it was granted.
    pub async fn remove(&self, id: Uuid) -> Result<(), Error> {
        match self.clients.remove(id).await? {
            true => Ok(()),
            false => Err(Error::ClientNotFound),
        }
    }
}
