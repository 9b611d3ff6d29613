//! A private RabbitMQ server with an Erlang port mapper of its own.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::install::Tools;
use crate::layout::{Layout, write_private};
use crate::options::Ports;
use crate::probe::Probe;
use crate::process::{Phase, Spec};
use crate::store_tls::StoreTls;

/// What begins an AMQP 0-9-1 connection (section 4.2.2 of the protocol).
const PROTOCOL_HEADER: &[u8] = b"AMQP\x00\x00\x09\x01";
/// The type of the method frame that a ready broker answers with.
const METHOD_FRAME: &[u8] = &[1];

const NODE: &str = "stoa@localhost";
/// Not the wrapper in sbin: it changes the user.
const CONTROL: &str = "/usr/lib/rabbitmq/bin/rabbitmqctl";

/// Who may use the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The user and the virtual host `stoa`; perhaps somebody watches.
    Platform { metrics: bool },
    /// `guest`, who may make virtual hosts over the management API.
    Tests,
}

/// Starts the broker; ready when it answers AMQP.
pub(crate) async fn start(
    fleet: Fleet,
    tools: Tools,
    ports: Ports,
    access: Access,
    tls: Option<StoreTls>,
) -> Result<()> {
    write_configuration(&fleet.layout, &ports, access, tls.as_ref())?;
    fleet.spawn(Spec::new("epmd", Phase::Base, &tools.epmd).args([
        "-port",
        &ports.epmd.to_string(),
        "-address",
        "127.0.0.1",
    ]))?;
    let say = Vec::new();
    let listens = Probe::Talk { port: ports.epmd, say, expect: &[], tls: None };
    fleet.ready("epmd", &listens, Duration::from_secs(10)).await?;
    let mut server = server(&fleet.layout, &tools, &ports);
    if access == Access::Tests {
        // An orderly stop with the management plugin takes 6 s, for data that nobody wants.
        server = server.stop_by(Signal::KILL);
    }
    fleet.spawn(server)?;
    // Definitions are imported before the listener opens: an answer means that
    // users and virtual hosts are there.
    let say = PROTOCOL_HEADER.to_vec();
    let answers = Probe::Talk { port: ports.amqp, say, expect: METHOD_FRAME, tls };
    fleet.ready("rabbitmq", &answers, Duration::from_secs(90)).await
}

/// Sets the share of the machine's memory from which on the broker takes no more.
pub(crate) async fn limit_memory(layout: &Layout, ports: &Ports, share: f64) -> Result<()> {
    let output = tokio::process::Command::new(CONTROL)
        .args(["set_vm_memory_high_watermark", &share.to_string()])
        .envs(node(layout, ports))
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot run {CONTROL}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the broker's limit is not set: {complaint}");
    Ok(())
}

/// What a program needs to know to be the node or to find it.
fn node(layout: &Layout, ports: &Ports) -> [(&'static str, OsString); 4] {
    let home = layout.path("rabbitmq");
    [
        ("RABBITMQ_NODENAME", NODE.into()),
        ("ERL_EPMD_PORT", ports.epmd.to_string().into()),
        ("RABBITMQ_CONF_ENV_FILE", home.join("no-env.conf").into()),
        ("HOME", home.into()),
    ]
}

fn server(layout: &Layout, tools: &Tools, ports: &Ports) -> Spec {
    let home = layout.path("rabbitmq");
    let spec = Spec::new("rabbitmq", Phase::Store, &tools.rabbitmq);
    let spec = node(layout, ports).into_iter().fold(spec, |spec, (name, v)| spec.env(name, v));
    spec.env("RABBITMQ_DIST_PORT", ports.amqp_dist.to_string())
        .env("RABBITMQ_MNESIA_BASE", home.join("data"))
        .env("RABBITMQ_LOG_BASE", home.join("log"))
        .env("RABBITMQ_LOGS", layout.log("rabbitmq"))
        .env("RABBITMQ_PID_FILE", home.join("pid"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", home.join("plugins"))
        .env("RABBITMQ_CONFIG_FILE", home.join("rabbitmq.conf"))
        // Distribution on loopback only; idle schedulers sleep at once.
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+sbwt none +sbwtdcpu none +sbwtdio none")
        .env("ERL_AFLAGS", "-kernel inet_dist_use_interface {127,0,0,1}")
}

fn write_configuration(
    layout: &Layout,
    ports: &Ports,
    access: Access,
    tls: Option<&StoreTls>,
) -> Result<()> {
    let home = layout.path("rabbitmq");
    fs::create_dir_all(&home)?;
    let definitions = home.join("definitions.json");
    let mut lines = listener(&home, ports.amqp, tls)?;
    lines.extend([
        format!("load_definitions = {}", definitions.display()),
        // A developer's disk is often nearly full; the default would block publishers.
        "disk_free_limit.absolute = 100MB".to_owned(),
    ]);
    if access == Access::Tests {
        lines.push("management.tcp.ip = 127.0.0.1".to_owned());
        lines.push(format!("management.tcp.port = {}", ports.amqp_api));
    }
    if access == (Access::Platform { metrics: true }) {
        lines.push("prometheus.tcp.ip = 127.0.0.1".to_owned());
        lines.push(format!("prometheus.tcp.port = {}", ports.amqp_metrics));
    }
    let plugins = match access {
        Access::Tests => "[rabbitmq_management].",
        Access::Platform { metrics: true } => "[rabbitmq_prometheus].",
        Access::Platform { metrics: false } => "[].",
    };
    fs::write(home.join("rabbitmq.conf"), lines.join("\n") + "\n")?;
    fs::write(home.join("plugins"), format!("{plugins}\n"))?;
    write_private(&definitions, &self::definitions(layout, access)?.to_string())
}

/// Where it listens; with TLS there is no other way in.
fn listener(home: &Path, port: u16, tls: Option<&StoreTls>) -> Result<Vec<String>> {
    let Some(tls) = tls else {
        return Ok(vec![format!("listeners.tcp.1 = 127.0.0.1:{port}")]);
    };
    let files = tls.write(home)?;
    Ok(vec![
        "listeners.tcp = none".to_owned(),
        format!("listeners.ssl.1 = 127.0.0.1:{port}"),
        format!("ssl_options.certfile = {}", files.certificate.display()),
        format!("ssl_options.keyfile = {}", files.key.display()),
        "ssl_options.versions.1 = tlsv1.3".to_owned(),
        "ssl_options.versions.2 = tlsv1.2".to_owned(),
    ])
}

fn definitions(layout: &Layout, access: Access) -> Result<Value> {
    let (user, password, host, tags) = match access {
        Access::Platform { .. } => ("stoa", layout.secret("rabbitmq")?, "stoa", ""),
        Access::Tests => ("guest", "guest".to_owned(), "/", "administrator"),
    };
    Ok(json!({
        "users": [{ "name": user, "password": password, "tags": tags }],
        "vhosts": [{ "name": host }],
        "permissions": [
            { "user": user, "vhost": host, "configure": ".*", "write": ".*", "read": ".*" }
        ],
    }))
}
