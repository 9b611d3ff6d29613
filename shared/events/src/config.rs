//! Where the broker is.

use std::str::FromStr;

use anyhow::{Result, anyhow};
use lapin::uri::AMQPUri;
use secrecy::{ExposeSecret, SecretString};

/// Broker settings.
#[derive(clap::Args, Clone, Debug)]
pub struct BrokerConfig {
    /// RabbitMQ URL with the virtual host, `amqp://user:password@host:5672/vhost`.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub amqp_url: SecretString,
}

/// Seconds. A silent connection is given up after twice as long.
const HEARTBEAT: u16 = 10;

impl BrokerConfig {
    /// The URL, understood. The error names the setting and not the value, which
    /// holds a password.
    pub(crate) fn uri(&self) -> Result<AMQPUri> {
        let mut uri = AMQPUri::from_str(self.amqp_url.expose_secret())
            .map_err(|_| anyhow!("AMQP_URL is not an AMQP URL"))?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT);
        Ok(uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_url_is_refused_without_showing_it() {
        let config = BrokerConfig { amqp_url: "http://u:hidden@host/".into() };
        let error = config.uri().expect_err("not AMQP");
        assert_eq!(format!("{error:#}"), "AMQP_URL is not an AMQP URL");
    }
}
