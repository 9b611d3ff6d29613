//! Where everything is: addresses, passwords, directories.

use std::path::PathBuf;

use anyhow::Result;

use super::Stack;
use crate::probe::client;
use crate::services::{self, ADMIN_EMAIL};
use crate::store_tls;

impl Stack {
    /// `http://127.0.0.1:<port>`, without a slash at the end.
    pub fn edge_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.options.ports.edge)
    }

    /// `https://localhost:<port>`, without a slash at the end; its certificate is signed
    /// by `ca.pem` of [`Stack::pki_dir`].
    pub fn edge_tls_url(&self) -> String {
        format!("https://localhost:{}", self.options.ports.edge_tls)
    }

    /// The API's documentation, for browsers.
    pub fn docs_url(&self) -> String {
        format!("{}/docs", self.edge_url())
    }

    /// Envoy's own interface, without a slash at the end.
    pub fn edge_admin_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.options.ports.edge_admin)
    }

    /// The console, without a slash at the end; it runs where [`Options::console`] says so.
    pub fn console_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.options.ports.console)
    }

    /// Prometheus, without a slash at the end; it runs where [`Options::observe`] says so.
    pub fn prometheus_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.options.ports.prometheus)
    }

    /// Alertmanager, without a slash at the end; it runs where [`Options::observe`] says so.
    pub fn alertmanager_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.options.ports.alertmanager)
    }

    /// The sandbox payment provider, without a slash at the end.
    pub fn sandbox_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.options.ports.sandbox)
    }

    /// A service's gRPC address; mutual TLS, the server's name is `service`.
    pub fn grpc_url(&self, service: &str) -> String {
        format!("https://127.0.0.1:{}", self.options.ports.grpc(service))
    }

    /// Where a service answers `/metrics`, `/livez` and `/readyz`.
    pub fn service_admin_url(&self, service: &str) -> String {
        format!("http://127.0.0.1:{}", self.options.ports.admin(service))
    }

    /// Turns the edge's limits of rates on or off, until it is started again: tests
    /// call from one address, where a real customer's limits would meet them.
    pub async fn limit_rates(&self, on: bool) -> Result<()> {
        let (admin, percent) = (self.edge_admin_url(), if on { 100 } else { 0 });
        let url = format!("{admin}/runtime_modify?edge.rate_limit_percent={percent}");
        client()?.post(url).send().await?.error_for_status()?;
        Ok(())
    }

    /// The administrator that exists from the first start on.
    pub fn admin_email(&self) -> &'static str {
        ADMIN_EMAIL
    }

    /// The administrator's password.
    pub fn admin_password(&self) -> Result<String> {
        self.layout().secret("admin")
    }

    /// A Maildir with every mail that was sent.
    pub fn mail_dir(&self) -> PathBuf {
        self.layout().path("mail")
    }

    /// `ca.pem`, and `<workload>.pem` and `<workload>.key` of each workload.
    pub fn pki_dir(&self) -> PathBuf {
        self.layout().path("pki")
    }

    /// The database of a service, as the service itself connects to it.
    pub fn postgres_url(&self, service: &str) -> Result<String> {
        services::database_url(self.layout(), self.options.ports.postgres, service)
    }

    /// The broker, as the services connect to it.
    pub fn amqp_url(&self) -> Result<String> {
        services::amqp_url(self.layout(), self.options.ports.amqp)
    }

    /// Redis, as the cart connects to it.
    pub fn redis_url(&self) -> Result<String> {
        services::redis_url(self.layout(), self.options.ports.redis)
    }

    /// PEM of who vouches for the stores.
    pub fn stores_authority(&self) -> PathBuf {
        store_tls::authority_file(self.layout())
    }
}
