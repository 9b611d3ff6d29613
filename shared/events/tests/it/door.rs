//! A way to the broker that can be shut and cut.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use events::BrokerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::world::{World, broker_at};

/// Forwards TCP connections to the broker; shut until opened.
pub struct Door {
    user: String,
    broker: String,
    vhost: String,
    addr: SocketAddr,
    ways: Arc<Mutex<Vec<CancellationToken>>>,
    opened: Mutex<Option<JoinHandle<()>>>,
}

impl Door {
    pub async fn new(world: &World) -> Self {
        let (server, vhost) = world.amqp_url.rsplit_once('/').unwrap();
        let (user, broker) = server.rsplit_once('@').unwrap();
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            user: user.to_owned(),
            broker: broker.to_owned(),
            vhost: vhost.to_owned(),
            addr: free.local_addr().unwrap(),
            ways: Default::default(),
            opened: Mutex::default(),
        }
    }

    /// The broker as it is reached through the door.
    pub fn config(&self) -> BrokerConfig {
        broker_at(&format!("{}@{}/{}", self.user, self.addr, self.vhost))
    }

    pub async fn open(&self) {
        let listener = TcpListener::bind(self.addr).await.unwrap();
        let (broker, ways) = (self.broker.clone(), self.ways.clone());
        let forwarding = tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let mut far = TcpStream::connect(&broker).await.unwrap();
                let way = CancellationToken::new();
                ways.lock().unwrap().push(way.clone());
                tokio::spawn(way.run_until_cancelled_owned(async move {
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                }));
            }
        });
        *self.opened.lock().unwrap() = Some(forwarding);
    }

    /// Cuts every connection there is; answers how many.
    pub fn cut(&self) -> usize {
        let ways = std::mem::take(&mut *self.ways.lock().unwrap());
        ways.iter().for_each(CancellationToken::cancel);
        ways.len()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.cut();
        if let Some(forwarding) = self.opened.lock().unwrap().take() {
            forwarding.abort();
        }
    }
}
