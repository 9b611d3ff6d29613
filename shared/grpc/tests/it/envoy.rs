//! A real Envoy as the sidecar, told what Istio tells it about connections from outside:
//! append who the peer is to what it sent, and call the service from 127.0.0.6.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Stdio;

use tempfile::TempDir;
use testkit::{eventually, reason};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tonic::Code;
use tonic::transport::Endpoint;

use crate::logs::Logs;
use crate::mesh::{channel, read};
use crate::pki::{Authority, Leaf, id};
use crate::sidecar::serve_behind_a_sidecar;

/// A sidecar with an address for members of the mesh and one for everybody else, as with
/// `PERMISSIVE` TLS.
struct Envoy {
    members: SocketAddr,
    others: SocketAddr,
    _process: Child,
    _files: TempDir,
}

impl Envoy {
    async fn start(service: SocketAddr, authority: &Authority, leaf: &Leaf) -> Self {
        let files = tempfile::tempdir().unwrap();
        for (name, text) in [("ca", &authority.pem), ("crt", &leaf.certificate), ("key", &leaf.key)]
        {
            fs::write(files.path().join(name), text).unwrap();
        }
        let (members, others) = (free(), free());
        let dir = files.path().display();
        let tls = format!(
            "{{name: tls, typed_config: {{
              '@type': type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext,
              require_client_certificate: true,
              common_tls_context: {{
                alpn_protocols: [h2],
                tls_certificates: [{{certificate_chain: {{filename: {dir}/crt}},
                  private_key: {{filename: {dir}/key}}}}],
                validation_context: {{trusted_ca: {{filename: {dir}/ca}}}}}}}}}}"
        );
        let (secure, open) =
            (listener(members, &format!(", transport_socket: {tls}")), listener(others, ""));
        let config = format!(
            "{{static_resources: {{listeners: [{secure}, {open}], clusters: [{}]}}}}",
            cluster(service)
        );
        let path = files.path().join("envoy.yaml");
        fs::write(&path, config).unwrap();
        let program = std::env::var_os("STOA_ENVOY");
        let program = program.expect("STOA_ENVOY names no Envoy binary: run through `make test`");
        let process = Command::new(program)
            .args(["--disable-hot-restart", "--concurrency", "1", "-l", "error", "-c"])
            .arg(path)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        for addr in [members, others] {
            eventually("Envoy listens", async || TcpStream::connect(addr).await.ok()).await;
        }
        Self { members, others, _process: process, _files: files }
    }
}

/// Where nobody listens at the moment.
fn free() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

fn listener(addr: SocketAddr, tls: &str) -> String {
    let port = addr.port();
    format!(
        "{{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}},
        filter_chains: [{{filters: [{{name: http, typed_config: {{
          '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager,
          stat_prefix: inbound, codec_type: HTTP2,
          forward_client_cert_details: APPEND_FORWARD,
          set_current_client_cert_details: {{subject: true, uri: true, dns: true}},
          route_config: {{virtual_hosts: [{{name: all, domains: ['*'],
            routes: [{{match: {{prefix: /}}, route: {{cluster: service}}}}]}}]}},
          http_filters: [{{name: router, typed_config: {{
            '@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}]}}}}]{tls}}}]}}"
    )
}

fn cluster(service: SocketAddr) -> String {
    let port = service.port();
    format!(
        "{{name: service, connect_timeout: 1s,
        upstream_bind_config: {{source_address: {{address: 127.0.0.6, port_value: 0}}}},
        typed_extension_protocol_options: {{
          envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {{
            '@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions,
            explicit_http_config: {{http2_protocol_options: {{}}}}}}}},
        load_assignment: {{cluster_name: service, endpoints: [{{lb_endpoints: [{{endpoint: {{
          address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}}}]}}]}}}}"
    )
}

#[tokio::test]
async fn whom_a_sidecar_sees_is_believed_and_nothing_that_its_peer_says() {
    let (logs, _guard) = Logs::capture();
    let (callee, _platform, running) = serve_behind_a_sidecar().await;
    let ours = Authority::new("ours");
    let envoy = Envoy::start(running.addr, &ours, &ours.leaf("cart")).await;
    let call = async |workload: &str, forwarded: Option<&str>| {
        read(channel(envoy.members, &ours, &ours.leaf(workload)), forwarded).await
    };
    call("orders", None).await.expect("orders may");
    let forged = format!("URI={}", id("orders"));
    for forwarded in [None, Some(forged.clone()), Some(format!("{forged},{forged}"))] {
        let status = call("catalog", forwarded.as_deref()).await.expect_err("catalog may not");
        assert_eq!(&*reason(&status), "CALLER_NOT_ALLOWED", "{forwarded:?}");
    }
    assert_eq!(logs.with(&["CALLER_NOT_ALLOWED", "\"rpc.peer\":\"catalog\""]).len(), 3);
    // A quote that is never closed would make what Envoy appends a part of its value.
    for open in [format!("{forged};Subject=\""), format!("{forged};Subject=\"\\")] {
        let status = call("catalog", Some(&open)).await.expect_err("catalog may not");
        assert_eq!(&*reason(&status), "PEER_UNKNOWN", "{open}");
    }
    // Without mutual TLS there is no peer to speak of.
    let stranger = Endpoint::from_shared(format!("http://{}", envoy.others)).unwrap();
    let status = read(stranger.connect_lazy(), Some(&forged)).await.expect_err("nobody");
    assert_eq!((status.code(), &*reason(&status)), (Code::Unauthenticated, "PEER_UNKNOWN"));
    assert_eq!(callee.calls(), 1);
}
