//! Applications, as administrators register them.

use std::sync::Arc;

use secrecy::SecretString;
use uuid::Uuid;

use crate::core::ports::Clients;
use crate::core::roles::{Actor, Roles};
use crate::core::{Error, opaque};
use crate::domain::oauth::Client;
use crate::domain::{Event, EventKind};

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
    roles: Arc<Roles>,
}

impl Register {
    pub fn new(clients: Arc<dyn Clients>, roles: Arc<Roles>) -> Self {
        Self { clients, roles }
    }

    /// Registers an application with roles that whoever registers it holds; answers its
    /// secret, this once.
    pub async fn add(
        &self,
        new: NewClient,
        by: &Actor<'_>,
    ) -> Result<(Client, Option<SecretString>), Error> {
        let NewClient { name, redirect_uris, logout_uris, confidential, first_party, roles } = new;
        let roles = self.roles.for_new(&roles, by.id).await?;
        let secret = confidential.then(opaque::generate).transpose()?;
        let client = Client {
            id: Uuid::now_v7(),
            name,
            redirect_uris,
            logout_uris,
            secret_hash: secret.as_ref().map(|secret| opaque::hash(secret).0),
            first_party,
            roles,
            entitlements: Vec::new(),
            created_at: types::now(),
        };
        let event = Event::of(EventKind::ClientRegistered, by.id, client.created_at, by.origin);
        let detail = format!("{}: {}", client.id, client.roles.all().join(", "));
        self.clients.add(&client, &event.with_detail(detail)).await?;
        tracing::info!(client.id = %client.id, client.name, "an application was registered");
        Ok((client, secret))
    }

    pub async fn list(&self) -> Result<Vec<Client>, Error> {
        self.clients.list().await
    }

    /// Takes one away, and all that it was granted.
    pub async fn remove(&self, id: Uuid, by: &Actor<'_>) -> Result<(), Error> {
        let event = Event::of(EventKind::ClientRemoved, by.id, types::now(), by.origin);
        match self.clients.remove(id, &event.with_detail(id.to_string())).await? {
            true => Ok(()),
            false => Err(Error::ClientNotFound),
        }
    }
}
