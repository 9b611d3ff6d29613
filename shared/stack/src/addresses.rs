//! Where every service answers gRPC, for tools that are told the state directory.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::layout::Layout;
use crate::options::{Ports, SERVICES};

/// Writes `run/addresses.json`: a URL for every service.
pub(crate) fn write(layout: &Layout, ports: &Ports) -> Result<()> {
    let url = |service| (service, format!("https://127.0.0.1:{}", ports.grpc(service)));
    let addresses: BTreeMap<_, _> = SERVICES.into_iter().map(url).collect();
    let text = serde_json::to_string_pretty(&addresses)?;
    Ok(std::fs::write(layout.path("run/addresses.json"), text + "\n")?)
}
