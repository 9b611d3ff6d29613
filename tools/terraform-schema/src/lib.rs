//! A Terraform provider that knows every resource's schema and nothing else, for machines
//! that cannot reach the registry: `terraform validate` and `terraform test` with mocked
//! providers ask for no more. Whoever wants to plan or apply for real is refused.
//!
//! The schema comes from the typed bindings that the provider's makers publish on npm.

pub mod bindings;
pub mod derive;
pub mod mirror;
pub mod package;
pub mod serve;
pub mod wire;
