//! The console: one page that shows how all of it does.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::layout::Layout;
use crate::options::{Options, SERVICES};
use crate::probe::{Probe, client};
use crate::process::{Phase, Spec};

/// Prometheus asks every 5 s here: four answers and some more.
const RATE_WINDOW: &str = "30s";

/// Starts the console; ready when its page is.
pub(crate) async fn start(fleet: Fleet, options: Options) -> Result<()> {
    let (ports, layout) = (&options.ports, &fleet.layout);
    let processes = layout.path("run/processes.json");
    fs::write(&processes, serde_json::to_string_pretty(&known(layout, &options))?)?;
    let address = format!("127.0.0.1:{}", ports.console);
    let mut spec = Spec::new("console", Phase::Base, options.bin_dir.join("console"))
        .env("ADMIN_ADDR", format!("127.0.0.1:{}", ports.admin("console")))
        .env("HTTP_ADDR", &address)
        .env("OTLP_ADDR", format!("127.0.0.1:{}", ports.otlp))
        .env("PROMETHEUS_URL", format!("http://127.0.0.1:{}", ports.prometheus))
        .env("RATE_WINDOW", RATE_WINDOW)
        .env("PROCESSES_FILE", processes)
        .env("RUNBOOKS_DIR", options.root.join("docs/operations/runbooks"));
    for (_, variable, value) in options.settings.iter().filter(|(of, ..)| of == "console") {
        spec = spec.env(variable, value);
    }
    let ready = Probe::Http(client()?, format!("http://{address}/"));
    fleet.spawn(spec)?;
    fleet.ready("console", &ready, Duration::from_secs(30)).await
}

/// Every process, where its log is, and how to find out whether it runs.
fn known(layout: &Layout, options: &Options) -> Vec<Value> {
    let ports = &options.ports;
    let http = |port: u16, path: &str| format!("http://127.0.0.1:{port}{path}");
    let ours = |name: &str, address: String| {
        let admin = ports.admin(name);
        json!({ "address": address, "ready": http(admin, "/readyz"), "metrics": http(admin, "/metrics") })
    };
    let mut all: Vec<(String, Value)> = Vec::new();
    let (ready, metrics) =
        (http(ports.edge_admin, "/ready"), http(ports.edge_admin, "/stats/prometheus"));
    let edge = json!({ "address": http(ports.edge, ""), "ready": ready, "metrics": metrics });
    all.push(("edge".to_owned(), edge));
    for name in SERVICES.iter().copied().chain(options.replicas.iter().map(String::as_str)) {
        let address = format!("https://127.0.0.1:{}", ports.grpc(name));
        all.push((name.to_owned(), ours(name, address)));
    }
    let mut sandbox = ours("sandbox", http(ports.sandbox, ""));
    sandbox["stands_for"] = json!("payment-provider");
    all.push(("sandbox".to_owned(), sandbox));
    all.push(("guard".to_owned(), ours("guard", http(ports.guard, ""))));
    all.push(("docs".to_owned(), ours("docs", http(ports.docs, "/docs"))));
    all.push(("console".to_owned(), ours("console", http(ports.console, ""))));
    for name in ["postgres", "rabbitmq", "redis", "smtp"] {
        let address = format!("127.0.0.1:{}", ports.of(name));
        all.push((name.to_owned(), json!({ "address": address, "connect": address })));
    }
    if options.observe {
        for (name, port) in [("prometheus", ports.prometheus), ("alertmanager", ports.alertmanager)]
        {
            let (ready, metrics) = (http(port, "/-/ready"), http(port, "/metrics"));
            let watcher = json!({ "address": http(port, ""), "ready": ready, "metrics": metrics });
            all.push((name.to_owned(), watcher));
        }
        let admin = ports.admin("prober");
        let (ready, metrics) = (http(admin, "/readyz"), http(admin, "/metrics"));
        all.push(("prober".to_owned(), json!({ "ready": ready, "metrics": metrics })));
    }
    let told = all.into_iter().map(|(name, mut process)| {
        process["log"] = json!(layout.log(&name));
        process["pid_file"] = json!(pid_file(layout, &name).display().to_string());
        process["name"] = json!(name);
        process
    });
    told.collect()
}

fn pid_file(layout: &Layout, name: &str) -> std::path::PathBuf {
    layout.path("run").join(Path::new(name).with_extension("pid"))
}
