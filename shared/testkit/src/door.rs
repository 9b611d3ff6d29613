//! A way between two processes that can be shut, held and slowed down.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

/// What becomes of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// They pass.
    Open,
    /// Connections end, and new ones at once.
    Shut,
    /// They wait; connections stay, as when packets are dropped on their way.
    Hole,
    /// They pass late: a round trip takes 200 ms longer, and one piece in twenty
    /// waits for its retransmission.
    Slow,
}

const ONE_WAY: Duration = Duration::from_millis(100);
/// The least time after which Linux sends a lost segment again (TCP_RTO_MIN).
const RETRANSMISSION: Duration = Duration::from_millis(200);
const LOSS: f64 = 0.05;

/// Forwards TCP connections to an address on this machine.
#[derive(Debug)]
pub struct Door {
    addr: SocketAddr,
    way: watch::Sender<Way>,
    /// How often connections were cut.
    cuts: watch::Sender<usize>,
    entered: Arc<AtomicUsize>,
    forwarding: JoinHandle<()>,
}

impl Door {
    /// An open door on a port of its own.
    pub async fn to(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let (way, cuts) = (watch::Sender::new(Way::Open), watch::Sender::new(0));
        let entered = Arc::<AtomicUsize>::default();
        let far = Far { port, way: way.subscribe(), cuts: cuts.subscribe() };
        let forwarding = tokio::spawn(forward(listener, far, Arc::clone(&entered)));
        Ok(Self { addr, way, cuts, entered, forwarding })
    }

    /// Where it is entered.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Changes what becomes of the bytes, also those of connections that exist.
    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// Ends every connection there is; new ones go the same way as before.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// How many connections there have been.
    pub fn entered(&self) -> usize {
        self.entered.load(Ordering::Relaxed)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.forwarding.abort();
    }
}

/// The other side of a door, and how it is reached.
#[derive(Debug, Clone)]
struct Far {
    port: u16,
    way: watch::Receiver<Way>,
    cuts: watch::Receiver<usize>,
}

async fn forward(listener: TcpListener, far: Far, entered: Arc<AtomicUsize>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // Out of file descriptors, perhaps: the next one may do better.
                let Ok((near, _)) = accepted else { continue };
                entered.fetch_add(1, Ordering::Relaxed);
                connections.spawn(pass(near, far.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection, until either side ends it, it is cut, or the door is shut.
async fn pass(near: TcpStream, far: Far) {
    let Far { port, way, mut cuts } = far;
    let mut shut = way.clone();
    cuts.mark_unchanged();
    let passing = async move {
        let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
        let _ = near.set_nodelay(true).and_then(|()| far.set_nodelay(true));
        let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
        tokio::join!(carry(from_near, to_far, way.clone()), carry(from_far, to_near, way));
    };
    tokio::select! {
        _ = shut.wait_for(|way| *way == Way::Shut) => {}
        _ = cuts.changed() => {}
        () = passing => {}
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut way: watch::Receiver<Way>) {
    let (sender, mut pieces) = mpsc::channel::<(Instant, Vec<u8>)>(256);
    let seen = way.clone();
    let reading = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let due = Instant::now() + delay(*seen.borrow());
            if sender.send((due, buffer[..length].to_vec())).await.is_err() {
                break;
            }
        }
    };
    let writing = async move {
        while let Some((due, piece)) = pieces.recv().await {
            sleep_until(due).await;
            let passable = way.wait_for(|way| *way != Way::Hole).await.is_ok();
            if !passable || to.write_all(&piece).await.is_err() {
                break;
            }
        }
        // The other side may have gone first.
        let _ = to.shutdown().await;
    };
    tokio::join!(reading, writing);
}

fn delay(way: Way) -> Duration {
    match way {
        Way::Slow if rand::random_bool(LOSS) => ONE_WAY + RETRANSMISSION,
        Way::Slow => ONE_WAY,
        Way::Open | Way::Shut | Way::Hole => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it is sent, and a connection to it by a door.
    async fn connected() -> (Door, TcpStream) {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let door = Door::to(server.local_addr().unwrap().port()).await.unwrap();
        tokio::spawn(async move {
            while let Ok((mut far, _)) = server.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = far.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        let near = TcpStream::connect(door.addr()).await.unwrap();
        (door, near)
    }

    async fn echo(connection: &mut TcpStream) -> io::Result<u8> {
        connection.write_u8(7).await?;
        connection.read_u8().await
    }

    #[tokio::test]
    async fn bytes_wait_at_a_hole_and_pass_when_it_is_closed() {
        let (door, mut near) = connected().await;
        assert_eq!(echo(&mut near).await.unwrap(), 7);
        door.set(Way::Hole);
        let waiting = tokio::time::timeout(Duration::from_millis(100), echo(&mut near)).await;
        assert!(waiting.is_err(), "a byte passed through a hole");
        door.set(Way::Open);
        assert_eq!(near.read_u8().await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_shut_door_ends_connections_and_opens_again() {
        let (door, mut near) = connected().await;
        door.set(Way::Shut);
        assert_eq!(near.read(&mut [0]).await.unwrap_or(0), 0);
        let mut refused = TcpStream::connect(door.addr()).await.unwrap();
        assert_eq!(refused.read(&mut [0]).await.unwrap_or(0), 0);
        door.set(Way::Open);
    }

    #[tokio::test]
    async fn cut_connections_end_and_new_ones_pass() {
        let (door, mut near) = connected().await;
        assert_eq!(echo(&mut near).await.unwrap(), 7);
        door.cut();
        assert_eq!(near.read(&mut [0]).await.unwrap_or(0), 0);
        let mut again = TcpStream::connect(door.addr()).await.unwrap();
        assert_eq!(echo(&mut again).await.unwrap(), 7);
        assert_eq!(door.entered(), 2);
    }
}
