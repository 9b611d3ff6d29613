//! Connections from other workloads, each with what proves who is at its other end.

use std::io::{self, ErrorKind, IoSlice};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{Stream, stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tonic::transport::server::Connected;

use super::spiffe::Stranger;
use crate::{Mesh, Peer};

/// A handshake takes two round trips; who needs longer is stuck or means no good.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// The most handshakes at once; the rest waits in the kernel.
const HANDSHAKES: usize = 1_024;
/// Until the next try when a connection cannot be taken, as without file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// What is known of a connection; requests have it among their extensions.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) from: SocketAddr,
    pub(crate) proof: Proof,
}

/// Who says which workload calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The certificate, verified by TLS; it may name no workload of ours.
    Certificate(Result<Peer, Stranger>),
    /// The sidecar, request by request.
    Sidecar,
    /// Nobody: there is a sidecar, and this connection does not come from it.
    Nobody,
}

/// The connections that a listener accepts, each as soon as it is good.
pub(crate) fn incoming(
    listener: TcpListener,
    mesh: Mesh,
) -> impl Stream<Item = io::Result<Connection>> {
    let door = Door { listener, mesh, handshakes: JoinSet::new() };
    stream::unfold(door, async |mut door| Some((Ok(door.next().await), door)))
}

struct Door {
    listener: TcpListener,
    mesh: Mesh,
    handshakes: JoinSet<Option<Connection>>,
}

impl Door {
    /// Who is slow holds up nobody else.
    async fn next(&mut self) -> Connection {
        loop {
            let room = self.handshakes.len() < HANDSHAKES;
            tokio::select! {
                accepted = self.listener.accept(), if room => match accepted {
                    Ok((tcp, from)) => drop(self.handshakes.spawn(arrive(tcp, from, self.mesh.clone()))),
                    // It was gone before we came to it.
                    Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(connection)) = done {
                        return connection;
                    }
                }
            }
        }
    }
}

/// None for those who are refused; that is logged here.
async fn arrive(tcp: TcpStream, from: SocketAddr, mesh: Mesh) -> Option<Connection> {
    // Without it an answer in two writes waits 40 ms for a delayed acknowledgement. A
    // connection that is gone already fails at its first read.
    let _ = tcp.set_nodelay(true);
    let Some(credentials) = mesh.current() else {
        let here = tcp.local_addr().ok()?.ip();
        let proof = if is_sidecar(from.ip(), here) { Proof::Sidecar } else { Proof::Nobody };
        return Some(Connection { io: Box::new(tcp), arrival: Arrival { from, proof } });
    };
    let acceptor = TlsAcceptor::from(Arc::clone(&credentials.server));
    let accepted = tokio::time::timeout(HANDSHAKE, acceptor.accept(tcp)).await;
    match accepted.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into())) {
        Ok(tls) => {
            let chain = tls.get_ref().1.peer_certificates();
            let leaf = chain.and_then(<[_]>::first).ok_or("it has no certificate");
            let proof = Proof::Certificate(leaf.and_then(|leaf| mesh.domain.peer_of(leaf)));
            Some(Connection { io: Box::new(tls), arrival: Arrival { from, proof } })
        }
        Err(error) => {
            refused(from, &error);
            None
        }
    }
}

fn refused(from: SocketAddr, error: &io::Error) {
    // Somebody who only looks whether the port is open, and goes.
    if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) {
        tracing::debug!(mesh.from = %from, %error, "no connection");
        return;
    }
    metrics::counter!("mesh_connections_refused_total").increment(1);
    tracing::info!(mesh.from = %from, %error, "refused a connection");
}

/// Whether a connection comes from the sidecar, or from another container of our own
/// pod: Istio's sidecar calls us from 127.0.0.6 or ::6 (its `InboundPassthroughBind`
/// addresses), from the loopback where an overlay's `defaultEndpoint` says so. What
/// comes to a pod from outside cannot have such an address.
fn is_sidecar(from: IpAddr, here: IpAddr) -> bool {
    const PASSTHROUGH: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 6);
    let (from, here) = (from.to_canonical(), here.to_canonical());
    from.is_loopback() || from == PASSTHROUGH || from == here
}

/// An accepted connection.
pub(crate) struct Connection {
    io: Box<dyn Io>,
    arrival: Arrival,
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

impl Connected for Connection {
    type ConnectInfo = Arrival;

    fn connect_info(&self) -> Arrival {
        self.arrival.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pod_is_the_sidecar() {
        let ours =
            |from: &str, here: &str| is_sidecar(from.parse().unwrap(), here.parse().unwrap());
        assert!(ours("127.0.0.6", "10.1.2.3"));
        assert!(ours("127.0.0.1", "127.0.0.1"));
        assert!(ours("::ffff:127.0.0.6", "::ffff:10.1.2.3"));
        assert!(ours("::6", "fd00::3"));
        assert!(ours("::1", "::1"));
        assert!(ours("10.1.2.3", "10.1.2.3"));
        assert!(!ours("10.1.2.4", "10.1.2.3"));
        assert!(!ours("::ffff:10.1.2.4", "::ffff:10.1.2.3"));
        assert!(!ours("fd00::4", "fd00::3"));
        assert!(!ours("::7", "fd00::3"));
        assert!(!ours("128.0.0.6", "10.1.2.3"));
    }
}
