//! Refuses JSON bodies with fields that the contract does not know.
//!
//! Envoy's transcoder drops such fields and answers 200 (envoyproxy/envoy#46623):
//! a misspelt field would change nothing and nobody would notice. So the edge asks
//! here, by `ext_authz`, before it transcodes the body of a write. The guard runs
//! beside Envoy, keeps nothing and decides nothing else.

pub mod config;

pub mod app;

pub mod fields;
