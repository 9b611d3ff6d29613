//! Address books.

use std::sync::Arc;

use uuid::Uuid;

use super::Error;
use super::ports::Ports;
use crate::domain::address::is_country;
use crate::domain::{AddressChange, PostalAddress, SavedAddress};

/// A user's own addresses.
pub struct AddressBook {
    ports: Arc<Ports>,
}

impl AddressBook {
    pub fn new(ports: Arc<Ports>) -> Self {
        Self { ports }
    }

    /// The default first, then the newest.
    pub async fn list(&self, user: Uuid) -> Result<Vec<SavedAddress>, Error> {
        self.ports.addresses.list(user).await
    }

    pub async fn get(&self, user: Uuid, id: Uuid) -> Result<SavedAddress, Error> {
        self.ports.addresses.get(user, id).await?.ok_or(Error::AddressNotFound)
    }

    /// Adds an address; the first is the default.
    pub async fn add(
        &self,
        user: Uuid,
        label: String,
        postal: PostalAddress,
        is_default: bool,
    ) -> Result<SavedAddress, Error> {
        check(&postal)?;
        let (id, now) = (Uuid::now_v7(), types::now());
        let (created_at, updated_at) = (now, now);
        let address = SavedAddress { id, label, postal, is_default, created_at, updated_at };
        self.ports.addresses.add(user, address).await
    }

    pub async fn change(
        &self,
        user: Uuid,
        id: Uuid,
        change: AddressChange,
    ) -> Result<SavedAddress, Error> {
        change.postal.as_ref().map_or(Ok(()), check)?;
        self.ports.addresses.change(user, id, change).await
    }

    pub async fn remove(&self, user: Uuid, id: Uuid) -> Result<(), Error> {
        match self.ports.addresses.remove(user, id).await? {
            true => Ok(()),
            false => Err(Error::AddressNotFound),
        }
    }
}

fn check(postal: &PostalAddress) -> Result<(), Error> {
    if is_country(&postal.country_code) { Ok(()) } else { Err(Error::CountryUnknown) }
}
