//! Roles that administrators make.

use async_trait::async_trait;
use uuid::Uuid;

use crate::core::Error;
use crate::domain::{CustomRole, Event, RoleChange, RoleNames};

/// Looks at what is about to be changed, while nobody else changes it, and says why not.
pub type Refusal<'a, T> = &'a (dyn Fn(&T) -> Result<(), Error> + Send + Sync);

/// How many have a role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holders {
    pub users: i64,
    pub clients: i64,
}

/// Where roles are kept that administrators made.
#[async_trait]
pub trait CustomRoles: Send + Sync + 'static {
    /// All of them, by name.
    async fn list(&self) -> Result<Vec<CustomRole>, Error>;

    /// How many have which role, those of the contract among them.
    async fn holders(&self) -> Result<Vec<(String, Holders)>, Error>;

    /// The one of that name, if there is one, and how many have a role of that name, be it
    /// the contract's.
    async fn find(&self, name: &str) -> Result<(Option<CustomRole>, Holders), Error>;

    /// The roles that a user or an application has at this moment; none of one that is
    /// closed or was taken away, whatever its token says.
    async fn of(&self, holder: Uuid) -> Result<RoleNames, Error>;

    /// Adds one, unless there are as many as there may be.
    ///
    /// Fails with [`Error::RoleExists`] and [`Error::TooManyRoles`].
    async fn add(&self, role: &CustomRole, most: usize, event: &Event) -> Result<(), Error>;

    /// Changes one, unless `refusal` has a reason not to; ends the sessions of all who
    /// have it where it is to.
    ///
    /// Fails with [`Error::RoleNotFound`].
    async fn change(
        &self,
        name: &str,
        change: RoleChange,
        refusal: Refusal<'_, CustomRole>,
        end_sessions: bool,
        event: &Event,
    ) -> Result<CustomRole, Error>;

    /// Takes one away that nobody has, unless `refusal` has a reason not to.
    ///
    /// Fails with [`Error::RoleNotFound`] and [`Error::RoleInUse`].
    async fn remove(
        &self,
        name: &str,
        refusal: Refusal<'_, CustomRole>,
        event: &Event,
    ) -> Result<(), Error>;
}
