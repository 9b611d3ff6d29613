//! Straight to a service, past the edge, with a workload's certificate.

use std::path::Path;
use std::time::Duration;

use stack::Stack;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

/// A workload's own certificate and key.
pub fn identity(stack: &Stack, workload: &str) -> Identity {
    let file = |kind: &str| read(&stack.pki_dir().join(format!("{workload}.{kind}")));
    Identity::from_pem(file("pem"), file("key"))
}

/// A lazy channel to a workload's own port, with or without a certificate.
pub fn channel(stack: &Stack, identity: Option<&Identity>, workload: &str) -> Channel {
    let authority = read(&stack.pki_dir().join("ca.pem"));
    let mut tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(authority))
        .domain_name(workload);
    if let Some(identity) = identity {
        tls = tls.identity(identity.clone());
    }
    let endpoint = Endpoint::from_shared(stack.grpc_url(workload)).unwrap();
    let endpoint = endpoint.tls_config(tls).unwrap().connect_timeout(Duration::from_secs(5));
    endpoint.connect_lazy()
}

/// A file of the stack's certificates.
pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
