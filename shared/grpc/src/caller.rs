//! Who calls: a workload of the mesh and, where there is one, a user.

use tonic::{Request, Status};
use uuid::Uuid;

use crate::Problem;

/// Who made a request. The gate puts it into the request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The workload at the other end of the connection.
    pub peer: Peer,
    /// The user behind the request.
    pub user: Option<User>,
    /// The contract lets the user see everybody's resources of the kind that is asked for.
    pub sees_all: bool,
    /// The `Idempotency-Key` header, where the contract asks for one.
    pub idempotency_key: Option<String>,
}

/// A workload of the mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The service account in its SPIFFE id.
    pub workload: String,
}

/// A signed-in user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: Uuid,
    /// Role names from the token.
    pub roles: Vec<String>,
    /// Permissions from the token, beside those of the roles.
    pub entitlements: Vec<String>,
    /// The session that the token belongs to, where it says so.
    pub session: Option<Uuid>,
}

impl User {
    /// Whether nobody is behind the account: a prober's. Its deeds are left out of
    /// figures about business.
    pub fn is_synthetic(&self) -> bool {
        self.roles.iter().any(|role| role == "synthetic")
    }
}

impl Caller {
    /// The caller of a request that passed the gate.
    pub fn of<T>(request: &Request<T>) -> Result<&Self, Status> {
        let missing = || Problem::internal("a request did not pass the gate");
        Ok(request.extensions().get::<Self>().ok_or_else(missing)?)
    }

    /// The signed-in user of a request whose method needs one.
    pub fn user_of<T>(request: &Request<T>) -> Result<&User, Status> {
        let missing = || Problem::unauthenticated("UNAUTHENTICATED", "sign in first");
        Ok(Self::of(request)?.user.as_ref().ok_or_else(missing)?)
    }

    /// The idempotency key of a request whose method needs one.
    pub fn key_of<T>(request: &Request<T>) -> Result<&str, Status> {
        let missing = || Problem::internal("the contract asks for no idempotency key");
        Ok(Self::of(request)?.idempotency_key.as_deref().ok_or_else(missing)?)
    }
}
