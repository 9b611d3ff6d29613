//! Who is let in by mutual TLS, and who is not: each is refused, and logged once.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use grpc::{Mesh, MeshConfig};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use proto::cart::v1::ReadCartRequest;
use proto::cart::v1::cart_checkout_service_client::CartCheckoutServiceClient;
use rustls::ClientConfig;
use testkit::{Platform, eventually, reason};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Status};
use uuid::Uuid;

use crate::callee::{Callee, Client, Running};
use crate::logs::Logs;
use crate::pki::{Authority, Files, Leaf, id, tls, tls_1_2};

/// A callee with the mesh of a test.
pub async fn serve(callee: &Callee, mesh: MeshConfig) -> (Platform, Running) {
    let platform = Platform::start().await;
    let mut host = platform.host("cart");
    host.mesh = mesh;
    let running = callee.serve(&platform, "cart", &host).await;
    (platform, running)
}

/// A callee that answers everybody who is let in.
pub fn friendly() -> Callee {
    Callee::new(async |_, _| Ok(()))
}

/// Connects once, and fails where the other side ends the connection. TLS 1.3 refuses a
/// client only after the client believes that it is connected.
pub async fn knock(addr: SocketAddr, config: Arc<ClientConfig>) -> io::Result<()> {
    let tcp = TcpStream::connect(addr).await?;
    let mut tls = TlsConnector::from(config).connect("cart".try_into().unwrap(), tcp).await?;
    // HTTP/2 begins with the server's settings.
    tls.read_u8().await.map(drop)
}

/// A channel that is nobody's but this certificate's.
pub fn channel(addr: SocketAddr, believed: &Authority, leaf: &Leaf) -> Channel {
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(&believed.pem))
        .identity(Identity::from_pem(&leaf.certificate, &leaf.key))
        .domain_name("cart");
    let endpoint = Endpoint::from_shared(format!("https://{addr}")).unwrap();
    endpoint.tls_config(tls).unwrap().connect_lazy()
}

pub async fn read(channel: Channel, forwarded: Option<&str>) -> Result<(), Status> {
    let mut request = Request::new(ReadCartRequest { user_id: Uuid::now_v7().to_string() });
    if let Some(header) = forwarded {
        request.metadata_mut().insert("x-forwarded-client-cert", header.parse().unwrap());
    }
    CartCheckoutServiceClient::new(channel).read_cart(request).await.map(drop)
}

#[tokio::test]
async fn whoever_tls_does_not_believe_is_refused_and_logged_once() {
    let (logs, _guard) = Logs::capture();
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let files = Files::new(&ours.leaf("cart"), &[&ours]);
    let callee = friendly();
    let (_platform, running) = serve(&callee, files.config()).await;
    knock(running.addr, tls(&ours, Some(&ours.leaf("orders")))).await.expect("one of us");
    let strangers = [
        ("no certificates", tls(&ours, None)),
        ("UnknownIssuer", tls(&ours, Some(&theirs.leaf("orders")))),
        ("expired", tls(&ours, Some(&ours.expired("orders")))),
        ("incompatible", tls_1_2(&ours, &ours.leaf("orders"))),
    ];
    for (why, config) in strangers.iter() {
        knock(running.addr, Arc::clone(config)).await.expect_err(why);
        let refused = eventually(why, async || {
            Some(logs.with(&["refused a connection", why])).filter(|lines| !lines.is_empty())
        });
        assert_eq!(refused.await.len(), 1, "{why}");
    }
    // Who looks whether the port is open and goes is not worth a line.
    drop(TcpStream::connect(running.addr).await.expect("the port is open"));
    knock(running.addr, tls(&ours, Some(&ours.leaf("orders")))).await.expect("one of us");
    assert_eq!(logs.with(&["refused a connection"]).len(), strangers.len());
    assert_eq!(callee.calls(), 0);
}

#[tokio::test]
async fn a_certificate_that_names_no_workload_of_ours_is_refused_and_logged_once() {
    let (logs, _guard) = Logs::capture();
    let ours = Authority::new("ours");
    let files = Files::new(&ours.leaf("cart"), &[&ours]);
    let callee = friendly();
    let (_platform, running) = serve(&callee, files.config()).await;
    let (orders, edge) = (id("orders"), id("edge"));
    let strangers: [(&[&str], &str); 5] = [
        (&[], "no SPIFFE id"),
        (&[&orders, &edge], "several ids"),
        (&["spiffe://shop.example.com/ns/stoa/sa/orders"], "another trust domain"),
        (&["spiffe://stoa.local/ns/other/sa/orders"], "another namespace"),
        (&["spiffe://stoa.local/orders"], "no workload's"),
    ];
    for (ids, why) in strangers {
        let leaf = ours.leaf_of("orders", ids);
        let status = read(channel(running.addr, &ours, &leaf), None).await.expect_err(why);
        assert_eq!((status.code(), &*reason(&status)), (Code::Unauthenticated, "PEER_UNKNOWN"));
        assert_eq!(logs.with(&["PEER_UNKNOWN", why]).len(), 1, "{why}");
    }
    assert_eq!(logs.with(&["PEER_UNKNOWN"]).len(), strangers.len());
    assert_eq!(callee.calls(), 0);
}

#[tokio::test]
async fn a_workload_may_not_call_what_does_not_name_it_whatever_it_forwards() {
    let (logs, _guard) = Logs::capture();
    let ours = Authority::new("ours");
    let files = Files::new(&ours.leaf("cart"), &[&ours]);
    let callee = friendly();
    let (_platform, running) = serve(&callee, files.config()).await;
    let forged = format!("URI={}", id("orders"));
    for (nth, forwarded) in [None, Some(&*forged)].into_iter().enumerate() {
        let catalog = channel(running.addr, &ours, &ours.leaf("catalog"));
        let status = read(catalog, forwarded).await.expect_err("not for catalog");
        let told = (status.code(), &*reason(&status));
        assert_eq!(told, (Code::PermissionDenied, "CALLER_NOT_ALLOWED"));
        assert_eq!(logs.with(&["CALLER_NOT_ALLOWED", "\"rpc.peer\":\"catalog\""]).len(), nth + 1);
    }
    assert_eq!(callee.calls(), 0);
    // Nor does a false name take away what is allowed.
    let orders = channel(running.addr, &ours, &ours.leaf("orders"));
    read(orders, Some(&format!("URI={}", id("catalog")))).await.expect("orders may");
    assert_eq!(callee.calls(), 1);
}

#[tokio::test]
async fn a_caller_believes_only_the_workload_that_it_means() {
    let (logs, _guard) = Logs::capture();
    let ours = Authority::new("ours");
    let theirs = Authority::new("theirs");
    let foreign = "spiffe://shop.example.com/ns/stoa/sa/cart";
    let servers = [
        ("shop.example.com", ours.leaf_of("cart", &[foreign])),
        ("stoa.local", ours.leaf_of("cart", &[&id("catalog")])),
        ("stoa.local", theirs.leaf("cart")),
    ];
    let orders = Files::new(&ours.leaf("orders"), &[&ours]);
    let mesh = Mesh::load(&orders.config()).unwrap();
    for (nth, (trust_domain, leaf)) in servers.iter().enumerate() {
        let files = Files::new(leaf, &[&ours]);
        let config = MeshConfig { mesh_trust_domain: trust_domain.to_string(), ..files.config() };
        let callee = friendly();
        let (_platform, running) = serve(&callee, config).await;
        let status = Client::over(&mesh, running.addr).capture().await.expect_err("not cart");
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        assert_eq!(callee.calls(), 0);
        let told = logs.with(&["no TLS with a callee", "\"mesh.callee\":\"cart\""]);
        assert_eq!(told.len(), nth + 1, "{told:?}");
    }
}

#[tokio::test]
async fn how_long_the_certificate_lives_is_measured() {
    let ours = Authority::new("ours");
    let files = Files::new(&ours.leaf("cart"), &[&ours]);
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _mesh = metrics::with_local_recorder(&recorder, || Mesh::load(&files.config()).unwrap());
    let measured = snapshotter.snapshot().into_vec().into_iter();
    let gauge = |(key, _, _, value): (metrics_util::CompositeKey, _, _, _)| match value {
        DebugValue::Gauge(value) => (key.key().name().to_owned(), value.into_inner()),
        _ => panic!("{key:?} is no gauge"),
    };
    let measured: std::collections::BTreeMap<_, _> = measured.map(gauge).collect();
    let (left, life) =
        (measured["mesh_certificate_expiry_seconds"], measured["mesh_certificate_life_seconds"]);
    assert!(left > 0.0 && left < life, "{left} of {life} seconds");
}
