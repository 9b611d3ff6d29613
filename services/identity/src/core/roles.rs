//! Roles, as administrators make and give them.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::Error;
use super::ports::{Holders, Ports};
use crate::domain::role::MOST_ROLES;
use crate::domain::{
    BuiltIn, Catalogue, CustomRole, Event, EventKind, Origin, RoleChange, RoleNames, User,
};

/// The roles there are, and who gets which.
pub struct Roles {
    ports: Arc<Ports>,
    /// The contract's, from least to most powerful.
    built_in: Vec<BuiltIn>,
}

/// A role of either kind, and who has it.
pub enum Shown {
    BuiltIn(BuiltIn, Holders),
    Custom(CustomRole, Holders),
}

/// Who does something, and from where.
pub struct Actor<'a> {
    /// A user, or an application in its own name.
    pub id: Uuid,
    pub origin: &'a Origin,
}

impl Actor<'_> {
    fn event(&self, kind: EventKind, detail: String) -> Event {
        Event::of(kind, self.id, types::now(), self.origin).with_detail(detail)
    }
}

impl Roles {
    pub fn new(ports: Arc<Ports>, built_in: Vec<BuiltIn>) -> Self {
        Self { ports, built_in }
    }

    async fn catalogue(&self) -> Result<Catalogue, Error> {
        let custom = self.ports.roles.list().await?;
        Ok(Catalogue { built_in: self.built_in.clone(), custom })
    }

    /// The contract's from least to most powerful, then others by name.
    pub async fn list(&self) -> Result<Vec<Shown>, Error> {
        let holders: HashMap<_, _> = self.ports.roles.holders().await?.into_iter().collect();
        let of = |name: &str| holders.get(name).copied().unwrap_or_default();
        let Catalogue { built_in, custom } = self.catalogue().await?;
        let built_in = built_in.into_iter().map(|role| Shown::BuiltIn(role, of(role.name)));
        let custom = custom.into_iter().map(|role| {
            let holders = of(&role.name);
            Shown::Custom(role, holders)
        });
        Ok(built_in.chain(custom).collect())
    }

    /// One of them.
    pub async fn get(&self, name: &str) -> Result<Shown, Error> {
        let (custom, holders) = self.ports.roles.find(name).await?;
        if let Some(role) = self.built_in.iter().find(|role| role.name == name) {
            return Ok(Shown::BuiltIn(*role, holders));
        }
        custom.map(|role| Shown::Custom(role, holders)).ok_or(Error::RoleNotFound)
    }

    /// Makes a role of permissions that its maker holds.
    pub async fn create(&self, role: CustomRole, by: &Actor<'_>) -> Result<CustomRole, Error> {
        let catalogue = self.catalogue().await?;
        if catalogue.is_built_in(&role.name) {
            return Err(Error::RoleExists);
        }
        known(&catalogue, &role.permissions)?;
        let giver = self.ports.roles.of(by.id).await?;
        catalogue.may_permit(&giver, &[], &role.permissions)?;
        let detail = format!("{}: {}", role.name, role.permissions.join(", "));
        let event = by.event(EventKind::RoleCreated, detail);
        self.ports.roles.add(&role, MOST_ROLES, &event).await?;
        tracing::info!(user.id = %by.id, role = role.name, "a role was made");
        Ok(role)
    }

    /// Changes a role by permissions that whoever changes it holds.
    pub async fn change(
        &self,
        name: &str,
        change: RoleChange,
        end_sessions: bool,
        by: &Actor<'_>,
    ) -> Result<Shown, Error> {
        let catalogue = self.catalogue().await?;
        if catalogue.is_built_in(name) {
            return Err(Error::RoleBuiltIn);
        }
        known(&catalogue, change.permissions.as_deref().unwrap_or_default())?;
        let giver = self.ports.roles.of(by.id).await?;
        let permissions = change.permissions.clone();
        let refusal = |role: &CustomRole| {
            let after = permissions.as_ref().unwrap_or(&role.permissions);
            Ok(catalogue.may_permit(&giver, &role.permissions, after)?)
        };
        let detail = match &change.permissions {
            Some(permissions) => format!("{name}: {}", permissions.join(", ")),
            None => name.to_owned(),
        };
        let event = by.event(EventKind::RoleChanged, detail);
        let changed = self.ports.roles.change(name, change, &refusal, end_sessions, &event).await?;
        tracing::info!(user.id = %by.id, role = name, "a role was changed");
        // As this change left it: others may have changed it since.
        let (_, holders) = self.ports.roles.find(name).await?;
        Ok(Shown::Custom(changed, holders))
    }

    /// Takes a role away that nobody has.
    pub async fn delete(&self, name: &str, by: &Actor<'_>) -> Result<(), Error> {
        let catalogue = self.catalogue().await?;
        if catalogue.is_built_in(name) {
            return Err(Error::RoleBuiltIn);
        }
        let giver = self.ports.roles.of(by.id).await?;
        let refusal =
            |role: &CustomRole| Ok(catalogue.may_permit(&giver, &role.permissions, &[])?);
        let event = by.event(EventKind::RoleDeleted, name.to_owned());
        self.ports.roles.remove(name, &refusal, &event).await?;
        tracing::info!(user.id = %by.id, role = name, "a role was taken away");
        Ok(())
    }

    /// Replaces a user's roles.
    pub async fn give(
        &self,
        user: Uuid,
        roles: &[String],
        end_sessions: bool,
        by: &Actor<'_>,
    ) -> Result<User, Error> {
        let catalogue = self.catalogue().await?;
        let after = catalogue.sort_out(roles).map_err(Error::RoleUnknown)?;
        let giver = self.ports.roles.of(by.id).await?;
        let refusal = |user: &User| Ok(catalogue.may_exchange(&giver, &user.roles, &after)?);
        let detail = after.all().join(", ");
        let changed = Event::of(EventKind::RolesChanged, user, types::now(), by.origin);
        let events = [changed.with_detail(detail.clone()), by.event(EventKind::RolesGiven, detail)];
        let (users, roles) = (&self.ports.users, after.clone());
        let user = users.set_roles(user, roles, &refusal, end_sessions, &events).await?;
        tracing::info!(user.id = %user.id, user.roles = ?user.roles.all(), "roles changed");
        Ok(user)
    }

    /// The roles for something new, which whoever makes it holds.
    pub async fn for_new(&self, roles: &[String], by: Uuid) -> Result<RoleNames, Error> {
        let catalogue = self.catalogue().await?;
        let names = catalogue.sort_out(roles).map_err(Error::RoleUnknown)?;
        let giver = self.ports.roles.of(by).await?;
        catalogue.may_exchange(&giver, &RoleNames::default(), &names)?;
        Ok(names)
    }
}

fn known(catalogue: &Catalogue, permissions: &[String]) -> Result<(), Error> {
    match permissions.iter().find(|permission| !catalogue.has(permission)) {
        None => Ok(()),
        Some(unknown) => Err(Error::PermissionUnknown(unknown.clone())),
    }
}
