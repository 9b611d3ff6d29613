//! gRPC for every service, as the contract wants it.

pub mod convert;
pub mod host;
pub mod problem;

mod access;
mod caller;
mod channel;
mod deadline;
mod gate;
mod keys;
mod load;
mod measure;
mod mesh;
mod revocations;
mod server;
mod token;
mod trace;

pub use caller::{Caller, Peer, User};
pub use channel::MeshChannel;
pub use host::{Host, HostConfig};
pub use keys::{KeySource, RemoteKeys};
pub use load::LoadConfig;
pub use mesh::{Mesh, MeshConfig, MeshTls};
pub use problem::Problem;
pub use revocations::RevocationSource;
pub use server::{Server, ServerConfig};
pub use token::{Claims, TokenConfig, Verifier};
