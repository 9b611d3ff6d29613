//! Prometheus and Alertmanager: rules, alerts and their routes as in production, on this
//! machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::debian;
use crate::edge::fill;
use crate::fleet::{Fleet, Step};
use crate::layout::{Layout, write_private};
use crate::options::{Options, service_of};
use crate::probe::{Probe, client};
use crate::process::{Phase, Spec};
use crate::progress::Progress;
use crate::relocate;

/// Where alerts are told to by default: the console's page shows them.
const CONSOLE: &str = "http://127.0.0.1:7300/api/alerts";
const ROUTES: &str = "observability/alertmanager/alertmanager.yaml";
/// Long enough for every rule: they look back three days.
const RETENTION: &str = "4d";
/// A laptop's disk is not a server's.
const RETENTION_SIZE: &str = "1GB";
/// Somebody looks while something happens; production asks every 15 s.
const SCRAPE_INTERVAL: &str = "5s";
/// Envoy tells of itself in thousands of series; these are asked about.
const OF_ENVOY: &str = "envoy_(http_downstream_(rq|cx).*|http_ext_authz_.*|http_jwt_authn_.*\
|http_local_rate_limit_.*|cluster_(upstream_(rq|cx)(_time_bucket|_time_count|_time_sum|_total|_xx|_active\
|_retry|_timeout|_connect_fail)?|membership_(healthy|total)|circuit_breakers_default_.*_open)|server_.*\
|listener_ssl_.*|overload_.*)";

/// Where the programs are.
pub(crate) struct Programs {
    prometheus: PathBuf,
    alertmanager: PathBuf,
}

pub(crate) fn install(layout: &Layout, progress: &mut dyn Progress) -> Result<Programs> {
    let prometheus = debian::program("prometheus", "prometheus", layout, progress)?;
    let package = "prometheus-alertmanager";
    let alertmanager = debian::program(package, package, layout, progress)?;
    let unpacked = alertmanager.ancestors().nth(3).context("Alertmanager lies nowhere")?;
    let alertmanager = relocate::alertmanager(&alertmanager, unpacked, layout.state())?;
    Ok(Programs { prometheus, alertmanager })
}

/// The steps that start both, to be run together.
pub(crate) fn steps(
    fleet: &Fleet,
    options: &Options,
    programs: Programs,
) -> Result<Vec<(String, Step)>> {
    let layout = &fleet.layout;
    for dir in ["prometheus", "alertmanager"] {
        fs::create_dir_all(layout.path(dir))?;
    }
    let watched = layout.path("prometheus/prometheus.yml");
    // JSON is YAML.
    fs::write(&watched, serde_json::to_string_pretty(&configuration(fleet, options))?)?;
    let routes = layout.path("alertmanager/alertmanager.yml");
    write_private(&routes, &self::routes(options)?)?;

    let ports = &options.ports;
    let prometheus = Spec::new("prometheus", Phase::Edge, programs.prometheus)
        .args([format!("--config.file={}", watched.display())])
        .args([format!("--storage.tsdb.path={}", layout.path("prometheus/data").display())])
        .args([format!("--storage.tsdb.retention.time={RETENTION}")])
        .args([format!("--storage.tsdb.retention.size={RETENTION_SIZE}")])
        .args([format!("--web.listen-address=127.0.0.1:{}", ports.prometheus)])
        .args(["--log.level=warn"]);
    let alertmanager = Spec::new("alertmanager", Phase::Edge, programs.alertmanager)
        .args([format!("--config.file={}", routes.display())])
        .args([format!("--storage.path={}", layout.path("alertmanager/data").display())])
        .args([format!("--web.listen-address=127.0.0.1:{}", ports.alertmanager)])
        // One of it: there is nobody to gossip with.
        .args(["--cluster.listen-address=", "--log.level=warn"]);
    [(prometheus, ports.prometheus), (alertmanager, ports.alertmanager)]
        .into_iter()
        .map(|(spec, port)| {
            let (name, fleet) = (spec.name.clone(), fleet.clone());
            let ready = Probe::Http(client()?, format!("http://127.0.0.1:{port}/-/ready"));
            let step = async move {
                let name = spec.name.clone();
                fleet.spawn(spec)?;
                fleet.ready(&name, &ready, Duration::from_secs(60)).await
            };
            Ok((name, Box::pin(step) as Step))
        })
        .collect()
}

/// Every process with metrics is a job; replicas share one.
fn configuration(fleet: &Fleet, options: &Options) -> Value {
    let ports = &options.ports;
    let mut jobs: BTreeMap<String, Vec<u16>> = BTreeMap::new();
    // The prober starts beside Prometheus.
    for process in fleet.names().into_iter().chain(["prober".to_owned()]) {
        let admin = ports.admin(&process);
        if admin != 0 {
            jobs.entry(service_of(&process).to_owned()).or_default().push(admin);
        }
    }
    jobs.insert("rabbitmq".to_owned(), vec![ports.amqp_metrics]);
    jobs.insert("prometheus".to_owned(), vec![ports.prometheus]);
    jobs.insert("alertmanager".to_owned(), vec![ports.alertmanager]);
    let address = |port: &u16| format!("127.0.0.1:{port}");
    let mut scrapes: Vec<Value> = jobs
        .iter()
        .map(|(job, ports)| {
            let targets: Vec<String> = ports.iter().map(address).collect();
            json!({ "job_name": job, "static_configs": [{ "targets": targets }] })
        })
        .collect();
    scrapes.push(json!({
        "job_name": "edge",
        "metrics_path": "/stats/prometheus",
        "static_configs": [{ "targets": [address(&ports.edge_admin)] }],
        "metric_relabel_configs": [
            { "source_labels": ["__name__"], "regex": OF_ENVOY, "action": "keep" },
        ],
    }));
    let dir = options.root.join("observability/prometheus");
    let files = |name: &str| dir.join(name).join("*.yaml").display().to_string();
    json!({
        "global": { "scrape_interval": SCRAPE_INTERVAL, "evaluation_interval": "15s" },
        "rule_files": [files("rules"), files("alerts")],
        "alerting": {
            "alertmanagers": [
                { "static_configs": [{ "targets": [address(&ports.alertmanager)] }] }
            ]
        },
        "scrape_configs": scrapes,
    })
}

/// The repository's routes; whom they lead to is told here. A setting of `alertmanager`
/// wins.
fn routes(options: &Options) -> Result<String> {
    let template = options.root.join(ROUTES);
    let text = fs::read_to_string(&template)
        .with_context(|| format!("cannot read {}", template.display()))?;
    let mut values: BTreeMap<String, String> =
        ["PAGE_URL", "TICKET_URL"].map(|name| (name.to_owned(), CONSOLE.to_owned())).into();
    let own = options.settings.iter().filter(|(process, ..)| process == "alertmanager");
    values.extend(own.map(|(_, name, value)| (name.clone(), value.clone())));
    fill(&text, &values).with_context(|| template.display().to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;

    #[test]
    fn every_way_of_an_alert_leads_somewhere() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let options = Options {
            bin_dir: root.clone(),
            settings: vec![["alertmanager", "PAGE_URL", "http://pager"].map(str::to_owned).into()],
            ..Options::private(&root, "unused").unwrap()
        };
        let routes = routes(&options).unwrap();
        assert!(routes.contains("url: 'http://pager'"), "{routes}");
        assert!(routes.contains(&format!("url: '{CONSOLE}'")), "{routes}");
    }
}
