//! Connections to other workloads: TCP, then TLS with the newest credentials.

use std::io;
use std::sync::Arc;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::{Service, service_fn};

use super::credentials::Credentials;

type Io = TokioIo<TlsStream<TcpStream>>;

/// Connects to a workload, wherever it is.
pub(super) fn connector(
    credentials: watch::Receiver<Arc<Credentials>>,
    workload: &'static str,
) -> impl Service<Uri, Response = Io, Error = io::Error, Future: Send> + Send + 'static {
    service_fn(move |uri| {
        // As new as the connection.
        let newest = Arc::clone(&credentials.borrow());
        async move { connect(&newest, workload, &uri).await }
    })
}

async fn connect(credentials: &Credentials, workload: &'static str, uri: &Uri) -> io::Result<Io> {
    let host = uri.host().unwrap_or_default();
    let tcp = TcpStream::connect(format!("{host}:{}", uri.port_u16().unwrap_or(443))).await?;
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from(workload).map_err(io::Error::other)?;
    let connector = TlsConnector::from(Arc::clone(&credentials.client));
    match connector.connect(name, tcp).await {
        Ok(tls) if tls.get_ref().1.alpn_protocol() == Some(b"h2") => Ok(TokioIo::new(tls)),
        Ok(_) => Err(io::Error::other("the callee does not speak HTTP/2")),
        Err(error) => {
            // Elsewhere it is one of many ways not to be reached.
            if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
                tracing::warn!(mesh.callee = workload, %error, "no TLS with a callee");
            }
            Err(error)
        }
    }
}
