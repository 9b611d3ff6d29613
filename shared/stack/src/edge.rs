//! Envoy, the only door from outside.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
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

/// How long the edge keeps the keys that tokens are checked with; a new key is
/// published for longer before it signs (`KEY_LEAD_SECONDS` of identity).
const JWKS_CACHE_SECONDS: u32 = 300;
/// Web pages served from this machine may call the API.
const CORS_ORIGINS: &str = "https?://(localhost|127[.]0[.]0[.]1)(:[0-9]+)?";

/// What people call the edge on one machine.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Nobody stands before the edge: what a client says about its address is not believed.
const TRUSTED_HOPS: u32 = 0;

/// What Envoy reads, in `envoy`: placeholders in the checkout, their values below the
/// state.
const TEMPLATES: [&str; 4] = [
    "certificates/authorities.yaml",
    "certificates/edge.yaml",
    "certificates/mesh.yaml",
    "edge.yaml",
];

/// The edge that people come through; another release's may run beside it.
pub(crate) const EDGE: &str = "edge";

/// Listeners; each fetches the keys of tokens for itself.
const LISTENERS: u64 = 2;

/// Starts Envoy as the process `name`; ready when it has identity's keys.
pub(crate) async fn start(
    name: &str,
    fleet: Fleet,
    options: Options,
    pki: Pki,
    tools: PythonTools,
) -> Result<()> {
    let home = home(&fleet, name);
    certify(&home, &pki)?;
    let values = values(&fleet, &home, &options, &pki);
    for file in TEMPLATES {
        let template = options.root.join("envoy").join(file);
        let text = fs::read_to_string(&template)
            .with_context(|| format!("cannot read {}", template.display()))?;
        let filled = fill(&text, &values).with_context(|| template.display().to_string())?;
        write_private(&home.join(file), &filled)?;
    }
    fleet.spawn(
        Spec::new(name, Phase::Edge, &tools.envoy)
            .args(["--disable-hot-restart", "--concurrency", "2", "-l", "warning", "-c"])
            .args([home.join("edge.yaml")]),
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
        fleet.ready(name, &probe, Duration::from_secs(30)).await?;
    }
    Ok(())
}

/// A certificate for HTTPS, in a directory of its own: Envoy watches it and takes up
/// whatever is renamed over the files.
fn certify(home: &Path, pki: &Pki) -> Result<()> {
    let (certificate, key) = pki.server(&NAMES)?;
    fs::create_dir_all(home.join("tls"))?;
    fs::create_dir_all(home.join("certificates"))?;
    fs::write(home.join("tls/cert.pem"), certificate)?;
    write_private(&home.join("tls/key.pem"), &key)
}

/// Where an edge keeps its files.
fn home(fleet: &Fleet, name: &str) -> PathBuf {
    let all = fleet.layout.path("envoy");
    if name == EDGE { all } else { all.join(name) }
}

/// Whether every listener has keys, in a line of `name: value`.
fn counted(stats: &str) -> bool {
    let count = |line: &str| line.rsplit(' ').next().and_then(|value| value.parse::<u64>().ok());
    stats.lines().filter_map(count).any(|count| count >= LISTENERS)
}

fn values(fleet: &Fleet, home: &Path, options: &Options, pki: &Pki) -> BTreeMap<String, String> {
    let (ports, collector) = (&options.ports, options.collector);
    let file = |relative: &str| home.join(relative).display().to_string();
    let mut values: BTreeMap<String, String> = [
        ("EDGE_ADDRESS", "127.0.0.1".to_owned()),
        ("EDGE_PORT", ports.edge.to_string()),
        ("EDGE_TLS_PORT", ports.edge_tls.to_string()),
        ("CERTIFICATES", file("certificates")),
        ("EDGE_CERT_DIR", file("tls")),
        ("EDGE_CERT", file("tls/cert.pem")),
        ("EDGE_KEY", file("tls/key.pem")),
        ("TRUSTED_HOPS", TRUSTED_HOPS.to_string()),
        ("EDGE_ADMIN_PORT", ports.edge_admin.to_string()),
        ("MESH_CERT", pki.certificate("edge").display().to_string()),
        ("MESH_KEY", pki.key("edge").display().to_string()),
        ("MESH_CA", pki.authority().display().to_string()),
        ("MESH_DIR", fleet.layout.path("pki").display().to_string()),
        ("GUARD_HOST", "127.0.0.1".to_owned()),
        ("GUARD_PORT", options.port("edge", "guard").to_string()),
        ("DOCS_HOST", "127.0.0.1".to_owned()),
        ("DOCS_PORT", ports.docs.to_string()),
        // Without a collector nothing is sampled, so that nothing is sent.
        ("TRACES_HOST", collector.map_or("127.0.0.1".to_owned(), |c| c.ip().to_string())),
        ("TRACES_PORT", collector.map_or(4317, |c| c.port()).to_string()),
        ("TRACE_PERCENT", collector.map_or(0, |_| 100).to_string()),
        ("JWT_ISSUER", JWT_ISSUER.to_owned()),
        ("JWT_AUDIENCE", JWT_AUDIENCE.to_owned()),
        ("JWKS_CACHE_SECONDS", JWKS_CACHE_SECONDS.to_string()),
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
    let own = options.settings.iter().filter(|(process, ..)| process == "edge");
    values.extend(own.map(|(_, name, value)| (name.clone(), value.clone())));
    values
}

/// Replaces every `${NAME}`.
///
/// Fails on a name without a value: a typing error must not reach Envoy.
pub(crate) fn fill(template: &str, values: &BTreeMap<String, String>) -> Result<String> {
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
        for name in TEMPLATES {
            let template = fs::read_to_string(root.join("envoy").join(name)).unwrap();
            let values = super::values(&fleet, &home(&fleet, EDGE), &options, &pki);
            fill(&template, &values).unwrap();
        }
    }

    #[test]
    fn keys_are_there_when_every_listener_has_them() {
        assert!(counted("http.edge.jwt_authn.jwks_fetch_success: 3\n"));
        assert!(!counted("http.edge.jwt_authn.jwks_fetch_success: 1\n"));
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
