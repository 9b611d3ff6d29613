//! A connection to the broker that is thrown away at the first error.
//!
//! The client's own recovery is not used: whoever holds a connection drops it with
//! everything on it and starts from nothing.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Connection, ConnectionProperties, DefaultConnectionBuilder};
use tokio::time::timeout;

use crate::config::Target;
use crate::publisher::Publisher;
use crate::topology;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);
const DECLARE_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection, with the topology declared.
pub(crate) struct Broker {
    connection: Connection,
}

impl Broker {
    /// Connects under a name that shows in the broker's management pages.
    pub(crate) async fn connect(target: &Target, name: &str) -> Result<Self> {
        let server = &target.uri.authority;
        Self::open(target, name)
            .await
            .with_context(|| format!("no broker at {}:{} (AMQP_URL)", server.host, server.port))
    }

    async fn open(target: &Target, name: &str) -> Result<Self> {
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let builder = DefaultConnectionBuilder::new()?
            .with_uri(target.uri.clone())
            .with_properties(properties)
            .with_tls_config(target.tls()?);
        let connection =
            timeout(CONNECT_TIMEOUT, builder.connect()).await.context("no answer")??;
        let broker = Self { connection };
        let declared = async { topology::declare(&broker.channel().await?).await };
        timeout(DECLARE_TIMEOUT, declared).await.context("the topology takes too long")??;
        Ok(broker)
    }

    /// Another channel.
    pub(crate) async fn channel(&self) -> Result<Channel> {
        self.connection.create_channel().await.context("no channel")
    }

    /// A channel on which the broker confirms what it is given.
    pub(crate) async fn publisher(&self) -> Result<Publisher> {
        let channel = self.channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Publisher::new(channel))
    }

    /// Fails once the connection is gone.
    pub(crate) fn ensure_up(&self) -> Result<()> {
        ensure!(self.connection.status().connected(), "the connection to the broker is lost");
        Ok(())
    }

    /// True while the broker is out of memory or disk and takes nothing.
    pub(crate) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Says goodbye. The broker may be gone already, or deaf, which is as good.
    pub(crate) async fn close(self) {
        let _ = timeout(GOODBYE_TIMEOUT, self.connection.close(200, "OK".into())).await;
    }
}
