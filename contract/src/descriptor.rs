//! From `.proto` files to one descriptor set.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use prost_reflect::DescriptorPool;

/// Types that no RPC names but that cross the edge inside `google.rpc.Status`;
/// without them in the set Envoy answers empty error bodies.
const ERROR_DETAILS: [&str; 2] = ["google/rpc/status.proto", "google/rpc/error_details.proto"];

/// Compiles everything below `proto/stoa`, with source information.
pub(crate) fn compile(root: &Path) -> Result<DescriptorPool> {
    let proto = root.join("proto");
    let mut sources = Vec::new();
    collect(&proto.join("stoa"), &mut sources)?;
    sources.sort();
    let mut compiler = protox::Compiler::new([proto, root.join("third_party/proto")])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(ERROR_DETAILS)?;
    compiler.open_files(&sources).context("the contract does not compile")?;
    Ok(compiler.descriptor_pool())
}

fn collect(dir: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, into)?;
        } else if path.extension().is_some_and(|e| e == "proto") {
            into.push(path);
        }
    }
    Ok(())
}
