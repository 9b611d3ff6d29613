//! A way to the broker that can be shut, cut, and made to swallow what passes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use events::BrokerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
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
    passable: watch::Sender<bool>,
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
            passable: watch::Sender::new(true),
            opened: Mutex::default(),
        }
    }

    /// The broker as it is reached through the door. Its silence is noticed soon.
    pub fn config(&self) -> BrokerConfig {
        broker_at(&format!("{}@{}/{}?heartbeat=1", self.user, self.addr, self.vhost))
    }

    /// From now on nothing passes, while every connection stays open.
    pub fn swallow(&self) {
        self.passable.send_replace(false);
    }

    /// Connections pass bytes again, those too that they held up.
    pub fn pass(&self) {
        self.passable.send_replace(true);
    }

    pub async fn open(&self) {
        let listener = TcpListener::bind(self.addr).await.unwrap();
        let (broker, ways) = (self.broker.clone(), self.ways.clone());
        let passable = self.passable.clone();
        let forwarding = tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                // A broker that is away refuses, so to speak.
                let Ok(far) = TcpStream::connect(&broker).await else { continue };
                let way = CancellationToken::new();
                ways.lock().unwrap().push(way.clone());
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                let there = carry(near_in, far_out, passable.subscribe());
                let back = carry(far_in, near_out, passable.subscribe());
                tokio::spawn(way.run_until_cancelled_owned(async move {
                    tokio::select! { () = there => {} () = back => {} }
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

/// Carries bytes one way until an end is closed.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut passable: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let passes = passable.wait_for(|passable| *passable).await.is_ok();
        if !passes || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
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
