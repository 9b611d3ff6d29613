//! HTTPS at the edge: modern versions and ciphers only, and a certificate that is renewed
//! while connections stay open.

mod hello;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use contract::EDGE;
use e2e::CONTRACT;
use e2e::dynamic::{Call, grpc};
use e2e::platform::{Platform, eventually};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion, version,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::json;
use tonic::Code;
use tonic::transport::Identity;

use crate::arena::{attack, attack_slowly};
use crate::table::Table;
use hello::{ALERT, HANDSHAKE, client_hello};

type Connection = StreamOwned<ClientConnection, TcpStream>;

/// What was agreed on.
#[derive(Debug, PartialEq)]
struct Agreed {
    version: String,
    protocol: String,
}

#[test]
fn https_speaks_tls_1_2_and_1_3_with_http_1_1_and_2() {
    attack(async |platform| {
        let mut table = Table::new("tls-versions");
        for (version, name) in [(&version::TLS13, "TLSv1_3"), (&version::TLS12, "TLSv1_2")] {
            for protocol in ["h2", "http/1.1"] {
                let connection = connect(platform, version, protocol);
                let expected = Agreed { version: name.to_owned(), protocol: protocol.to_owned() };
                table.same(
                    "a client",
                    &format!("{name}, {protocol}"),
                    expected,
                    agreed(&connection),
                );
            }
        }
        let mut connection = connect(platform, &version::TLS13, "http/1.1");
        table.same("a request", "GET /v1/categories", 200, get(&mut connection));
        table.end();
    });
}

/// Two bytes of version; its name; suites; whether the edge agrees.
const OFFERS: [([u8; 2], &str, &[u16], bool); 10] = [
    ([3, 3], "TLS 1.2, ECDHE and AES-GCM", &[0xc02b, 0xc02f], true),
    ([3, 3], "TLS 1.2, ECDHE and ChaCha20", &[0xcca9, 0xcca8], true),
    ([3, 0], "SSL 3.0", &[0xc009, 0xc013, 0x002f], false),
    ([3, 1], "TLS 1.0", &[0xc009, 0xc013, 0x002f], false),
    ([3, 2], "TLS 1.1", &[0xc009, 0xc013, 0x002f], false),
    ([3, 3], "TLS 1.2 without authenticated encryption", &[0xc009, 0xc00a, 0xc023, 0xc013], false),
    ([3, 3], "TLS 1.2 without forward secrecy", &[0x009c, 0x009d, 0x002f, 0x0035], false),
    ([3, 3], "TLS 1.2 with RC4 and 3DES", &[0x0005, 0x000a, 0xc007, 0xc008], false),
    ([3, 3], "TLS 1.2 for export or without encryption", &[0x0003, 0x0008, 0x0001, 0xc006], false),
    ([3, 3], "TLS 1.2 with anonymous keys", &[0xc018, 0xc019, 0x0034], false),
];

#[test]
fn old_versions_and_weak_ciphers_are_refused_in_the_handshake() {
    attack(async |platform| {
        let mut table = Table::new("tls-ciphers");
        for (version, what, suites, agrees) in OFFERS {
            let mut stream = tcp(platform);
            stream.write_all(&client_hello(version, suites)).unwrap();
            let mut first = [0; 1];
            // Whoever is refused may be hung up on without a word.
            let answer = stream.read_exact(&mut first).map(|()| first[0]).unwrap_or(ALERT);
            let expected = if agrees { HANDSHAKE } else { ALERT };
            table.same(what, &format!("{suites:04x?}"), expected, answer);
        }
        table.end();
    });
}

#[test]
fn plain_text_at_the_https_port_is_answered_with_nothing() {
    attack(async |platform| {
        let mut table = Table::new("tls-plain-text");
        let mut stream = tcp(platform);
        stream.write_all(b"GET /v1/categories HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let spoke = String::from_utf8_lossy(&answer).contains("HTTP/");
        table.same("HTTP without TLS", "GET /v1/categories", false, spoke);
        table.end();
    });
}

#[test]
fn who_connects_and_does_not_shake_hands_is_let_go() {
    attack_slowly(async |platform| {
        let mut table = Table::new("tls-silence");
        let mut stream = tcp(platform);
        stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        let ended = tokio::task::spawn_blocking(move || stream.read(&mut [0; 16]));
        let ended = matches!(ended.await.unwrap(), Ok(0));
        table.same("a connection without a word", "nothing for 15 s", true, ended);
        table.end();
    });
}

#[test]
fn a_renewed_certificate_is_used_at_once_and_breaks_no_connection() {
    attack_slowly(async |platform| {
        let mut table = Table::new("tls-renewal");
        let mut early = connect(platform, &version::TLS13, "http/1.1");
        let before = certificate(&early);
        table.same("before", "GET /v1/categories", 200, get(&mut early));
        renew(platform);
        let now = eventually("the new certificate", async || {
            let shown = certificate(&connect(platform, &version::TLS13, "http/1.1"));
            (shown != before).then_some(shown)
        })
        .await;
        table.same("another certificate", "a new file over the old", true, now != before);
        table.same("the connection from before", "GET /v1/categories", 200, get(&mut early));
        table.end();
    });
}

/// It is signed by the mesh's authority on one machine, and names nobody of the mesh.
#[test]
fn the_certificate_that_people_see_opens_nothing_inside() {
    attack_slowly(async |platform| {
        let mut table = Table::new("tls-inside");
        let dir = platform.stack.layout().path("envoy/tls");
        let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
        let identity = Identity::from_pem(read("cert.pem"), read("key.pem"));
        let method = CONTRACT.method("/stoa.catalog.v1.CatalogService/ListCategories").unwrap();
        let request = json!({});
        let call = Call { method, request: &request, token: None, idempotency_key: None };
        let edge = e2e::mesh::identity(&platform.stack, EDGE);
        let honest = e2e::mesh::channel(&platform.stack, Some(&edge), "catalog");
        table.same("the edge", "its own certificate", Code::Ok, grpc(&honest, &call).await.code);
        let stranger = e2e::mesh::channel(&platform.stack, Some(&identity), "catalog");
        let got = grpc(&stranger, &call).await;
        let shown = format!("{:?} {}", got.code, got.message);
        table.row("a stranger", "HTTPS's own", "no connection", &shown, got.unconnected);
        table.end();
    });
}

/// What a certificate manager does: new files, renamed over the old ones.
fn renew(platform: &Platform) {
    let pki = platform.stack.pki_dir();
    let read = |name: &str| std::fs::read_to_string(pki.join(name)).unwrap();
    let authority = KeyPair::from_pem(&read("ca.key")).unwrap();
    let authority = Issuer::from_ca_cert_pem(&read("ca.pem"), authority).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.signed_by(&key, &authority).unwrap();
    let dir = platform.stack.layout().path("envoy/tls");
    replace(&dir.join("key.pem"), &key.serialize_pem());
    replace(&dir.join("cert.pem"), &certificate.pem());
}

fn replace(path: &Path, text: &str) {
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, text).unwrap();
    std::fs::rename(&fresh, path).unwrap();
}

fn tcp(platform: &Platform) -> TcpStream {
    let port = platform.stack.options().ports.edge_tls;
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the edge listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// After the handshake, trusting the stack's authority alone.
fn connect(
    platform: &Platform,
    version: &'static SupportedProtocolVersion,
    protocol: &str,
) -> Connection {
    let mut roots = RootCertStore::empty();
    let authority = platform.stack.pki_dir().join("ca.pem");
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = tcp(platform);
    while tls.is_handshaking() {
        tls.complete_io(&mut stream).expect("a handshake");
    }
    StreamOwned::new(tls, stream)
}

fn agreed(connection: &Connection) -> Agreed {
    let protocol = connection.conn.alpn_protocol().unwrap_or_default();
    Agreed {
        version: format!("{:?}", connection.conn.protocol_version().unwrap()),
        protocol: String::from_utf8_lossy(protocol).into_owned(),
    }
}

fn certificate(connection: &Connection) -> Vec<u8> {
    connection.conn.peer_certificates().unwrap()[0].to_vec()
}

/// The status of a small answer.
fn get(connection: &mut Connection) -> u16 {
    connection.write_all(b"GET /v1/categories HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut buffer = vec![0; 16 * 1024];
    let count = connection.read(&mut buffer).unwrap();
    let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
    text.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default()
}
