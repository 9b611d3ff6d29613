//! Where Istio's sidecars do TLS: whom a service believes.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use grpc::{Mesh, MeshConfig, MeshTls};
use hyper_util::rt::TokioIo;
use testkit::{Platform, reason};
use tokio::net::TcpSocket;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tower::service_fn;

use crate::callee::{Callee, Running};
use crate::logs::Logs;
use crate::mesh::{friendly, read, serve};
use crate::pki::id;

/// Whoever calls from here stands for the sidecar.
const SIDECAR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 6);

fn istio() -> MeshConfig {
    MeshConfig {
        mesh_tls: MeshTls::Istio,
        mesh_cert: None,
        mesh_key: None,
        mesh_ca: None,
        ..MeshConfig::native("", "", "")
    }
}

pub async fn serve_behind_a_sidecar() -> (Callee, Platform, Running) {
    let callee = friendly();
    let (platform, running) = serve(&callee, istio()).await;
    (callee, platform, running)
}

/// A channel in plain HTTP/2 whose connections come from an address of this machine.
fn channel(from: Ipv4Addr, to: SocketAddr) -> Channel {
    let connector = service_fn(move |_| async move {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        socket.connect(to).await.map(TokioIo::new)
    });
    let endpoint = Endpoint::from_shared(format!("http://{to}")).unwrap();
    endpoint.connect_with_connector_lazy(connector)
}

/// An address of this machine beside the loopback; nothing is sent to find it.
fn another_address() -> Ipv4Addr {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    socket.connect((Ipv4Addr::new(198, 51, 100, 1), 9)).expect("this test needs a network");
    match socket.local_addr().unwrap() {
        SocketAddr::V4(addr) => *addr.ip(),
        SocketAddr::V6(addr) => panic!("{addr} is no IPv4 address"),
    }
}

/// As the sidecar writes it.
fn element(workload: &str) -> String {
    format!("By={};Hash=0a1b;Subject=\"\";URI={}", id("cart"), id(workload))
}

#[tokio::test]
async fn the_sidecar_says_who_calls() {
    let (logs, _guard) = Logs::capture();
    let (callee, _platform, running) = serve_behind_a_sidecar().await;
    read(channel(SIDECAR, running.addr), Some(&element("orders"))).await.expect("orders may");
    // What a peer sends itself comes before what the sidecar appends.
    let forwarded = format!("{},{}", element("catalog"), element("orders"));
    read(channel(SIDECAR, running.addr), Some(&forwarded)).await.expect("orders may");
    assert_eq!(callee.calls(), 2);
    let forged = format!("{},{}", element("orders"), element("catalog"));
    let status = read(channel(SIDECAR, running.addr), Some(&forged)).await.expect_err("catalog");
    assert_eq!((status.code(), &*reason(&status)), (Code::PermissionDenied, "CALLER_NOT_ALLOWED"));
    assert_eq!(logs.with(&["CALLER_NOT_ALLOWED", "\"rpc.peer\":\"catalog\""]).len(), 1);
    assert_eq!(callee.calls(), 2);
}

#[tokio::test]
async fn whoever_comes_past_the_sidecar_is_not_believed() {
    let (logs, _guard) = Logs::capture();
    let (callee, _platform, running) = serve_behind_a_sidecar().await;
    let foreign = channel(another_address(), running.addr);
    let status = read(foreign, Some(&element("orders"))).await.expect_err("it is not the sidecar");
    assert_eq!((status.code(), &*reason(&status)), (Code::Unauthenticated, "PEER_UNKNOWN"));
    assert_eq!(logs.with(&["PEER_UNKNOWN", "does not come from the sidecar"]).len(), 1);
    assert_eq!(callee.calls(), 0);
}

#[tokio::test]
async fn a_header_that_names_no_workload_of_ours_is_refused_and_logged_once() {
    let (logs, _guard) = Logs::capture();
    let (callee, _platform, running) = serve_behind_a_sidecar().await;
    let (orders, foreign) = (id("orders"), "spiffe://shop.example.com/ns/stoa/sa/orders");
    let headers = [
        (None, "it has no x-forwarded-client-cert"),
        (Some("Hash=0a1b;Subject=\"\"".to_owned()), "names no workload"),
        (Some(format!("URI={orders};URI={orders}")), "several ids"),
        (Some(format!("{},URI={foreign}", element("orders"))), "another trust domain"),
        (Some(format!("URI=\"{orders}")), "is malformed"),
        (Some(orders.clone()), "is malformed"),
        (Some(format!("URI={orders},")), "is malformed"),
    ];
    for (header, why) in &headers {
        let before = logs.with(&["PEER_UNKNOWN", why]).len();
        let answer = read(channel(SIDECAR, running.addr), header.as_deref()).await;
        let status = answer.expect_err(why);
        assert_eq!(&*reason(&status), "PEER_UNKNOWN", "{header:?}");
        assert_eq!(logs.with(&["PEER_UNKNOWN", why]).len(), before + 1, "{header:?}");
    }
    assert_eq!(logs.with(&["PEER_UNKNOWN"]).len(), headers.len());
    assert_eq!(callee.calls(), 0);
}

#[tokio::test]
async fn the_kubelet_is_told_of_our_health_and_nothing_else() {
    let (_callee, _platform, running) = serve_behind_a_sidecar().await;
    for from in [SIDECAR, another_address()] {
        let kubelet = channel(from, running.addr);
        let asked = HealthClient::new(kubelet.clone()).check(HealthCheckRequest::default()).await;
        asked.expect("a probe needs no identity");
        let request = futures::stream::iter([ServerReflectionRequest::default()]);
        let asked = ServerReflectionClient::new(kubelet).server_reflection_info(request).await;
        assert_eq!(asked.expect_err("nobody").code(), Code::Unauthenticated);
    }
}

#[tokio::test]
async fn calls_go_to_the_sidecar_in_plain_http() {
    let mesh = Mesh::load(&istio()).unwrap();
    mesh.channel("http://catalog:8080", "catalog").expect("the sidecar does TLS");
    let refused = mesh.channel("https://catalog:8080", "catalog").map(drop).expect_err("not twice");
    assert!(refused.to_string().contains("begins with http://"), "{refused}");
}
