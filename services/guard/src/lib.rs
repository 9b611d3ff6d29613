//! Refuses REST requests that do not say plainly what they mean.
//!
//! Envoy's transcoder drops fields that it does not know (envoyproxy/envoy#46623),
//! takes the last of two values for one field, reads any body as JSON, and answers
//! 200: a misspelt field would change nothing and nobody would notice. So the edge
//! asks here, by `ext_authz`, before it transcodes. The guard runs beside Envoy,
//! keeps nothing and decides nothing else.

pub mod config;

pub mod app;

pub mod body;
pub mod check;
pub mod query;
pub mod refusal;
