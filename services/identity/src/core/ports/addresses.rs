//! Address books.

use async_trait::async_trait;
use uuid::Uuid;

use crate::core::Error;
use crate::domain::{AddressChange, SavedAddress};

/// Where address books are kept. An address of somebody else is none.
#[async_trait]
pub trait Addresses: Send + Sync + 'static {
    /// All of a user's, the default first, then the newest.
    async fn list(&self, user: Uuid) -> Result<Vec<SavedAddress>, Error>;

    async fn get(&self, user: Uuid, id: Uuid) -> Result<Option<SavedAddress>, Error>;

    /// Adds one, as the default where it is to be or there is none.
    ///
    /// Fails with [`Error::UserNotFound`] and [`Error::TooManyAddresses`].
    async fn add(&self, user: Uuid, address: SavedAddress) -> Result<SavedAddress, Error>;

    /// Fails with [`Error::AddressNotFound`] and [`Error::DefaultAddressNeeded`].
    async fn change(
        &self,
        user: Uuid,
        id: Uuid,
        change: AddressChange,
    ) -> Result<SavedAddress, Error>;

    /// Removes one; answers whether there was one. The newest that is left is the
    /// default if it was.
    async fn remove(&self, user: Uuid, id: Uuid) -> Result<bool, Error>;
}
