//! The contract compiler: turns `proto/` into every file that enforces it.
//!
//! [`generate`] is pure: it reads the `.proto` tree and answers the files as
//! they should be. Who calls it decides whether to write them or to compare.

pub mod cluster;
mod comments;
mod constraints;
mod descriptor;
pub mod drift;
mod envoy;
pub mod errors;
mod istio;
mod kubernetes;
mod model;
mod openapi;
mod pages;
mod prometheus;
pub mod release;
mod resilience;
pub mod review;
mod rules;
mod rust;
pub mod sample;
mod yaml;

use std::path::{Path, PathBuf};

use anyhow::Result;

pub use constraints::Constraints;
pub use model::{
    Access, Call, Contract, EDGE, ErrorCase, External, Fact, HttpRule, Method, Needs, Policy, Rate,
    Resource, Retry, Role, Service, Slo, Store, TOOLS, is_secret, is_sensitive,
};

/// A generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Relative to the checkout.
    pub path: PathBuf,
    /// The whole file.
    pub contents: Vec<u8>,
}

impl File {
    fn new(path: impl Into<PathBuf>, contents: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), contents: contents.into() }
    }
}

/// Reads the contract of the checkout at `root`.
///
/// Fails when the contract breaks one of its own rules, naming the element.
pub fn load(root: &Path) -> Result<Contract> {
    let contract = Contract::read(descriptor::compile(root)?)?;
    rules::check(&contract)?;
    Ok(contract)
}

/// The same for an older checkout, which may break rules that are younger.
pub fn load_older(root: &Path) -> Result<Contract> {
    Contract::read(descriptor::compile(root)?)
}

/// Every generated file of the checkout at `root`, as it should be.
pub fn generate(root: &Path) -> Result<Vec<File>> {
    generate_from(&load(root)?)
}

/// Every file that is generated from a contract, by path.
pub fn generate_from(contract: &Contract) -> Result<Vec<File>> {
    let backends = [
        rust::files,
        envoy::files,
        istio::files,
        kubernetes::files,
        openapi::files,
        pages::files,
        prometheus::files,
    ];
    let mut files = Vec::new();
    for backend in backends {
        files.extend(backend(contract)?);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}
