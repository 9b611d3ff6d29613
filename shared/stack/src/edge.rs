//! Envoy, the only door from outside.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::fleet::Fleet;
use crate::install::PythonTools;
use crate::layout::write_private;
use crate::options::{Options, SERVICES};
use crate::pki::Pki;
use crate::probe::{Probe, client};
use crate::process::{Phase, Spec};
use crate::services::{JWT_AUDIENCE, JWT_ISSUER};

/// Web pages served from this machine may call the API.
const CORS_ORIGINS: &str = "https?://(localhost|127[.]0[.]0[.]1)(:[0-9]+)?";

/// Starts Envoy; ready when it has identity's keys.
pub(crate) async fn start(
    fleet: Fleet,
    options: Options,
    pki: Pki,
    tools: PythonTools,
) -> Result<()> {
    let template = options.root.join("envoy/edge.yaml");
    let text = fs::read_to_string(&template)
        .with_context(|| format!("cannot read {}", template.display()))?;
    let values = values(&fleet, &options, &pki);
    let configuration = fleet.layout.path("envoy/edge.yaml");
    let filled = fill(&text, &values).with_context(|| template.display().to_string())?;
    write_private(&configuration, &filled)?;
    fleet.spawn(
        Spec::new("edge", Phase::Edge, &tools.envoy)
            .args(["--disable-hot-restart", "--concurrency", "2", "-l", "warning", "-c"])
            .args([configuration]),
    )?;
    let admin = format!("http://127.0.0.1:{}", options.ports.edge_admin);
    let keys = format!("http://127.0.0.1:{}/.well-known/jwks.json", options.ports.edge);
    let probes = [
        Probe::Http(client()?, format!("{admin}/ready")),
        Probe::Http(client()?, keys),
        // Until Envoy itself has the keys it refuses every token.
        Probe::HttpText(client()?, format!("{admin}/stats?filter=jwks_fetch_success$"), counted),
    ];
    for probe in probes {
        fleet.ready("edge", &probe, Duration::from_secs(30)).await?;
    }
    Ok(())
}

/// Whether a counter in lines of `name: value` is above zero.
fn counted(stats: &str) -> bool {
    stats.lines().any(|line| line.rsplit(' ').next().is_some_and(|value| value != "0"))
}

fn values(fleet: &Fleet, options: &Options, pki: &Pki) -> BTreeMap<String, String> {
    let ports = &options.ports;
    let mut values: BTreeMap<String, String> = [
        ("EDGE_ADDRESS", "127.0.0.1".to_owned()),
        ("EDGE_PORT", ports.edge.to_string()),
        ("EDGE_ADMIN_PORT", ports.edge_admin.to_string()),
        ("MESH_CERT", pki.certificate("edge").display().to_string()),
        ("MESH_KEY", pki.key("edge").display().to_string()),
        ("MESH_CA", pki.authority().display().to_string()),
        ("GUARD_HOST", "127.0.0.1".to_owned()),
        ("GUARD_PORT", options.port("edge", "guard").to_string()),
        ("DOCS_HOST", "127.0.0.1".to_owned()),
        ("DOCS_PORT", ports.docs.to_string()),
        ("JWT_ISSUER", JWT_ISSUER.to_owned()),
        ("JWT_AUDIENCE", JWT_AUDIENCE.to_owned()),
        ("DESCRIPTOR", options.root.join("envoy/descriptor.binpb").display().to_string()),
        ("CORS_ORIGIN_REGEX", CORS_ORIGINS.to_owned()),
        ("ACCESS_LOG", fleet.layout.log("access").display().to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for service in SERVICES {
        let name = service.to_uppercase();
        values.insert(format!("{name}_HOST"), "127.0.0.1".to_owned());
        values.insert(format!("{name}_PORT"), options.port("edge", service).to_string());
    }
    values
}

/// Replaces every `${NAME}`.
///
/// Fails on a name without a value: a typing error must not reach Envoy.
fn fill(template: &str, values: &BTreeMap<String, String>) -> Result<String> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, following) = after.split_once('}').context("a `${` is not closed")?;
        let Some(value) = values.get(name) else { bail!("unknown placeholder ${{{name}}}") };
        filled.push_str(before);
        // Values stand in single quotes, where YAML doubles a quote.
        filled.push_str(&value.replace('\'', "''"));
        rest = following;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;
    use crate::layout::Layout;

    #[test]
    fn every_placeholder_of_the_generated_configuration_has_a_value() {
        let dir = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let fleet = Fleet::new(Layout::new(dir.path()).unwrap());
        let pki = Pki::renew(dir.path()).unwrap();
        let options = Options {
            bin_dir: dir.path().to_owned(),
            ..Options::private(&root, "unused").unwrap()
        };
        let template = fs::read_to_string(root.join("envoy/edge.yaml")).unwrap();
        fill(&template, &super::values(&fleet, &options, &pki)).unwrap();
    }

    #[test]
    fn a_counter_above_zero_is_seen() {
        assert!(counted("http.edge.jwt_authn.jwks_fetch_success: 3\n"));
        assert!(!counted("http.edge.jwt_authn.jwks_fetch_success: 0\n"));
        assert!(!counted(""));
    }

    fn values() -> BTreeMap<String, String> {
        [("A", "one"), ("B", "${A}")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    }

    #[test]
    fn placeholders_are_replaced_once() {
        assert_eq!(fill("x ${A}${B} $ %A% }", &values()).unwrap(), "x one${A} $ %A% }");
    }

    #[test]
    fn an_unknown_placeholder_is_an_error() {
        let error = fill("port: ${EDGE_PROT}", &values()).unwrap_err().to_string();
        assert_eq!(error, "unknown placeholder ${EDGE_PROT}");
    }

    #[test]
    fn an_unclosed_placeholder_is_an_error() {
        assert!(fill("port: ${A", &values()).is_err());
    }
}
