//! Where the broker is.

use std::fs;
use std::str::FromStr;

use anyhow::{Context, Result, anyhow};
use lapin::tcp::OwnedTLSConfig;
use lapin::uri::AMQPUri;
use secrecy::{ExposeSecret, SecretString};

/// Broker settings.
#[derive(clap::Args, Clone, Debug)]
pub struct BrokerConfig {
    /// RabbitMQ URL with the virtual host, `amqp://user:password@host:5672/vhost`, or
    /// `amqps://…` for TLS; `?cacertfile=/path/ca.pem` names who may vouch for the
    /// broker beside the authorities of the system.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub amqp_url: SecretString,
}

/// Seconds. A silent connection is given up after twice as long.
const HEARTBEAT: u16 = 10;

/// Where the broker is, and whom to believe that it is the broker.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) uri: AMQPUri,
    /// PEM.
    authority: Option<String>,
}

impl Target {
    /// Read again for every connection: authorities are replaced while we run.
    pub(crate) fn tls(&self) -> Result<OwnedTLSConfig> {
        let read = |path: &String| fs::read_to_string(path).with_context(|| path.clone());
        let authority = self.authority.as_ref().map(read).transpose();
        let authority = authority.context("cacertfile of AMQP_URL cannot be read")?;
        Ok(OwnedTLSConfig { identity: None, cert_chain: authority })
    }
}

impl BrokerConfig {
    /// The URL, understood. The error names the setting and not the value, which
    /// holds a password.
    pub(crate) fn target(&self) -> Result<Target> {
        let url = self.amqp_url.expose_secret();
        let mut uri = AMQPUri::from_str(url).map_err(|_| anyhow!("AMQP_URL is not an AMQP URL"))?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT);
        Ok(Target { uri, authority: authority(url) })
    }
}

/// As RabbitMQ's own clients name it
/// (https://www.rabbitmq.com/docs/uri-query-parameters).
fn authority(url: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    parameters.find(|(name, _)| name == "cacertfile").map(|(_, path)| path.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_url_is_refused_without_showing_it() {
        let config = BrokerConfig { amqp_url: "http://u:hidden@host/".into() };
        let error = config.target().err().expect("not AMQP");
        assert_eq!(format!("{error:#}"), "AMQP_URL is not an AMQP URL");
    }

    #[test]
    fn an_authority_that_cannot_be_read_is_named() {
        let url = "amqps://u:p@host/v?heartbeat=5&cacertfile=%2Fno%2Fca.pem";
        let target = BrokerConfig { amqp_url: url.into() }.target().expect("a URL");
        assert_eq!(target.uri.query.heartbeat, Some(5));
        let error = target.tls().expect_err("there is none");
        assert!(format!("{error:#}").contains("/no/ca.pem"), "{error:#}");
    }
}
