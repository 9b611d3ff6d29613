//! Our own services and the sandbox payment provider: what each is told.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::fleet::{Fleet, Step};
use crate::layout::Layout;
use crate::options::{Options, SERVICES, service_of};
use crate::pki::{Pki, TRUST_DOMAIN};
use crate::probe::{Probe, client};
use crate::process::{Phase, Spec};
use crate::store_tls;
use crate::viewer;

/// The account that exists from the first start on.
pub(crate) const ADMIN_EMAIL: &str = "admin@stoa.local";
pub(crate) const JWT_ISSUER: &str = "https://stoa.local";
pub(crate) const JWT_AUDIENCE: &str = "stoa";
/// Whoever has a database.
pub(crate) const DATABASES: [&str; 7] =
    ["identity", "catalog", "inventory", "orders", "payments", "notifications", "sandbox"];

const READY: Duration = Duration::from_secs(60);
/// Passed on from our own environment, for developers.
pub(crate) const PASSED_ON: [&str; 3] = ["RUST_LOG", "RUST_BACKTRACE", "LOG_FORMAT"];

/// The steps that start the services, to be run together.
pub(crate) fn steps(fleet: &Fleet, options: &Options, pki: &Pki) -> Result<Vec<(String, Step)>> {
    let plan = Plan { layout: &fleet.layout, options, pki };
    let mut specs = vec![plan.sandbox()?, plan.guard()?, plan.docs()?];
    for process in SERVICES.into_iter().chain(options.replicas.iter().map(String::as_str)) {
        specs.push(plan.service(process)?);
    }
    let http = client()?;
    let steps = specs.into_iter().map(|spec| {
        let (name, fleet) = (spec.name.clone(), fleet.clone());
        let admin = options.ports.admin(&name);
        let ready = Probe::Http(http.clone(), format!("http://127.0.0.1:{admin}/readyz"));
        let spec = options
            .settings
            .iter()
            .filter(|(process, ..)| *process == name || process == service_of(&name))
            .fold(spec, |spec, (_, variable, value)| spec.env(variable, value));
        let step = async move {
            let name = spec.name.clone();
            fleet.spawn(spec)?;
            fleet.ready(&name, &ready, READY).await
        };
        (name, Box::pin(step) as Step)
    });
    Ok(steps.collect())
}

/// `postgres://…` of a service's database.
pub(crate) fn database_url(layout: &Layout, port: u16, name: &str) -> Result<String> {
    let password = layout.secret(&format!("postgres-{name}"))?;
    let tls = store_tls::authority(layout).map_or_else(
        || "sslmode=disable".to_owned(),
        |authority| format!("sslmode=verify-full&sslrootcert={}", authority.display()),
    );
    Ok(format!("postgres://{name}:{password}@127.0.0.1:{port}/{name}?{tls}"))
}

/// `amqp://…` of the platform's broker.
pub(crate) fn amqp_url(layout: &Layout, port: u16) -> Result<String> {
    let broker = format!("stoa:{}@127.0.0.1:{port}/stoa", layout.secret("rabbitmq")?);
    Ok(store_tls::authority(layout).map_or_else(
        || format!("amqp://{broker}"),
        |authority| format!("amqps://{broker}?cacertfile={}", authority.display()),
    ))
}

/// `redis://…` of the carts.
pub(crate) fn redis_url(layout: &Layout, port: u16) -> Result<String> {
    let scheme = if store_tls::authority(layout).is_some() { "rediss" } else { "redis" };
    Ok(format!("{scheme}://default:{}@127.0.0.1:{port}", layout.secret("redis")?))
}

struct Plan<'a> {
    layout: &'a Layout,
    options: &'a Options,
    pki: &'a Pki,
}

impl Plan<'_> {
    fn service(&self, process: &str) -> Result<Spec> {
        let (ports, name) = (&self.options.ports, service_of(process));
        let mut spec = self
            .program(process)?
            .env("GRPC_ADDR", format!("127.0.0.1:{}", ports.grpc(process)))
            .env("ADMIN_ADDR", format!("127.0.0.1:{}", ports.admin(process)))
            .env("MESH_CERT", self.pki.certificate(name))
            .env("MESH_KEY", self.pki.key(name))
            .env("MESH_CA", self.pki.authority())
            .env("MESH_TRUST_DOMAIN", TRUST_DOMAIN)
            .env("JWT_ISSUER", JWT_ISSUER)
            .env("JWT_AUDIENCE", JWT_AUDIENCE)
            // One process of each: there is nobody to send requests to instead.
            .env("DRAIN_NOTICE_MS", "0");
        if DATABASES.contains(&name) {
            spec = spec.env("DATABASE_URL", self.database_url(name)?);
            let broker = self.options.port(name, "rabbitmq");
            spec = spec.env("AMQP_URL", amqp_url(self.layout, broker)?);
        }
        for (variable, peer) in peers(name) {
            let port = self.options.port(name, peer);
            spec = spec.env(variable, format!("https://127.0.0.1:{port}"));
        }
        for (variable, value) in self.particulars(name)? {
            spec = spec.env(variable, value);
        }
        Ok(spec)
    }

    fn sandbox(&self) -> Result<Spec> {
        let ports = &self.options.ports;
        let edge = self.options.port("sandbox", "edge");
        let webhook = format!("http://127.0.0.1:{edge}/v1/payments/webhooks/sandbox");
        Ok(self
            .program("sandbox")?
            .env("ADMIN_ADDR", format!("127.0.0.1:{}", ports.admin("sandbox")))
            .env("HTTP_ADDR", format!("127.0.0.1:{}", ports.sandbox))
            .env("DATABASE_URL", self.database_url("sandbox")?)
            .env("API_KEY", self.layout.secret("sandbox-api-key")?)
            .env("WEBHOOK_SECRET", self.layout.secret("sandbox-webhook")?)
            .env("WEBHOOK_URL", webhook))
    }

    fn guard(&self) -> Result<Spec> {
        let ports = &self.options.ports;
        Ok(self
            .program("guard")?
            .env("ADMIN_ADDR", format!("127.0.0.1:{}", ports.admin("guard")))
            .env("HTTP_ADDR", format!("127.0.0.1:{}", ports.guard)))
    }

    fn docs(&self) -> Result<Spec> {
        let ports = &self.options.ports;
        Ok(self
            .program("docs")?
            .env("ADMIN_ADDR", format!("127.0.0.1:{}", ports.admin("docs")))
            .env("HTTP_ADDR", format!("127.0.0.1:{}", ports.docs))
            .env("DOCUMENT", self.options.root.join("docs/api/openapi.yaml"))
            .env("VIEWER_DIR", viewer::dir(self.layout)))
    }

    fn database_url(&self, name: &str) -> Result<String> {
        database_url(self.layout, self.options.port(name, "postgres"), name)
    }

    fn program(&self, process: &str) -> Result<Spec> {
        let program = self.options.bin_dir.join(service_of(process));
        program_exists(&program)?;
        let mut spec = Spec::new(process, Phase::Service, program);
        for variable in PASSED_ON {
            if let Some(value) = std::env::var_os(variable) {
                spec = spec.env(variable, value);
            }
        }
        if let Some(collector) = self.options.collector {
            spec = spec.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"));
        }
        Ok(spec)
    }

    /// Where people reach the platform.
    fn public_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.options.ports.edge)
    }

    fn particulars(&self, name: &str) -> Result<Vec<(&'static str, String)>> {
        let port = |to| self.options.port(name, to);
        let secret = |name| self.layout.secret(name);
        Ok(match name {
            "identity" => vec![
                ("ADMIN_EMAIL", ADMIN_EMAIL.to_owned()),
                ("ADMIN_PASSWORD", secret("admin")?),
                ("SEALING_KEYS", format!("local:{}", secret("sealing")?)),
                ("PUBLIC_URL", self.public_url()),
            ],
            "cart" => {
                let authority = store_tls::authority(self.layout);
                let authority = authority.map(|path| ("REDIS_CA", path.display().to_string()));
                let url = ("REDIS_URL", redis_url(self.layout, port("redis"))?);
                [url].into_iter().chain(authority).collect()
            }
            "payments" => vec![
                ("SANDBOX_URL", format!("http://127.0.0.1:{}", port("sandbox"))),
                ("SANDBOX_API_KEY", secret("sandbox-api-key")?),
                ("SANDBOX_WEBHOOK_SECRET", secret("sandbox-webhook")?),
            ],
            "notifications" => vec![
                ("SMTP_URL", format!("smtp://127.0.0.1:{}", port("smtp"))),
                ("MAIL_FROM", "Stoa <shop@stoa.local>".to_owned()),
                ("PUBLIC_URL", self.public_url()),
            ],
            _ => Vec::new(),
        })
    }
}

/// Whom a service calls, and the variable that tells it where.
fn peers(service: &str) -> Vec<(&'static str, &'static str)> {
    let mut peers = match service {
        "cart" => vec![("CATALOG_URL", "catalog")],
        // They keep something about people.
        "identity" => vec![
            ("CART_URL", "cart"),
            ("ORDERS_URL", "orders"),
            ("PAYMENTS_URL", "payments"),
            ("NOTIFICATIONS_URL", "notifications"),
        ],
        "orders" => vec![
            ("CART_URL", "cart"),
            ("CATALOG_URL", "catalog"),
            ("INVENTORY_URL", "inventory"),
            ("PAYMENTS_URL", "payments"),
        ],
        _ => Vec::new(),
    };
    if service != "identity" {
        peers.push(("IDENTITY_URL", "identity"));
    }
    peers
}

fn program_exists(program: &Path) -> Result<()> {
    std::fs::metadata(program).map(drop).with_context(|| {
        format!("{} is not built: `cargo build --workspace --bins`", program.display())
    })
}
