//! The prober and its account: a customer who is none, and is marked so.

use std::time::Duration;

use anyhow::Result;

use crate::fleet::Fleet;
use crate::layout::Layout;
use crate::options::Options;
use crate::pki::Pki;
use crate::probe::{Probe, client};
use crate::process::{Phase, Spec};
use crate::services::PASSED_ON;

/// Whose journeys the prober makes.
pub(crate) const EMAIL: &str = "prober@stoa.local";

pub(crate) fn password(layout: &Layout) -> Result<String> {
    layout.secret("prober")
}

/// Starts the prober; ready when it measures.
pub(crate) async fn start(fleet: Fleet, options: Options) -> Result<()> {
    let (ports, layout) = (&options.ports, &fleet.layout);
    let admin = format!("127.0.0.1:{}", ports.admin("prober"));
    let authority = Pki::of(layout).authority();
    let mut spec = Spec::new("prober", Phase::Edge, options.bin_dir.join("prober"))
        .env("ADMIN_ADDR", &admin)
        // By the way that customers come.
        .env("EDGE_URL", format!("https://localhost:{}", ports.edge_tls))
        .env("EDGE_CA", authority)
        .env("PROBE_EMAIL", EMAIL)
        .env("PROBE_PASSWORD", password(layout)?);
    for variable in PASSED_ON {
        if let Some(value) = std::env::var_os(variable) {
            spec = spec.env(variable, value);
        }
    }
    for (_, variable, value) in options.settings.iter().filter(|(of, ..)| of == "prober") {
        spec = spec.env(variable, value);
    }
    let ready = Probe::Http(client()?, format!("http://{admin}/readyz"));
    fleet.spawn(spec)?;
    fleet.ready("prober", &ready, Duration::from_secs(30)).await
}
