//! Network policies as Kubernetes wants them.

use serde_json::{Value, json};

use crate::cluster::{self, NAME_LABEL, Neighbour, TO_LABEL};

const API: &str = "networking.k8s.io/v1";

/// Networks that are not the internet: private, shared, link-local (where clouds
/// hand out credentials), loopback (RFC 6890).
const PRIVATE_V4: [&str; 6] = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
];
const PRIVATE_V6: [&str; 3] = ["::1/128", "fc00::/7", "fe80::/10"];

/// Somebody at the other end, and the ports of the end that listens.
pub(super) struct Way {
    peers: Vec<Value>,
    ports: Vec<Value>,
}

impl Way {
    /// A workload of ours.
    pub(super) fn pod(workload: &str, port: u16) -> Self {
        let peer = json!({"podSelector": {"matchLabels": cluster::labels(workload)}});
        Self { peers: vec![peer], ports: vec![tcp(port)] }
    }

    pub(super) fn neighbour(neighbour: &Neighbour) -> Self {
        let (label, value) = &neighbour.label;
        let peer = json!({
            "namespaceSelector": {
                "matchLabels": {"kubernetes.io/metadata.name": neighbour.namespace},
            },
            "podSelector": {"matchLabels": {*label: value}},
        });
        Self { peers: vec![peer], ports: vec![tcp(neighbour.port)] }
    }

    /// Everywhere but inside: network policies know no host names; the sidecar does.
    pub(super) fn internet(port: u16) -> Self {
        let v4 = json!({"ipBlock": {"cidr": "0.0.0.0/0", "except": PRIVATE_V4}});
        let v6 = json!({"ipBlock": {"cidr": "::/0", "except": PRIVATE_V6}});
        Self { peers: vec![v4, v6], ports: vec![tcp(port)] }
    }

    pub(super) fn and_port(mut self, port: u16) -> Self {
        self.ports.push(tcp(port));
        self
    }

    /// The same ports over UDP too.
    pub(super) fn and_udp(mut self) -> Self {
        let udp = self.ports.iter().map(|p| json!({"protocol": "UDP", "port": p["port"]}));
        self.ports = udp.chain(self.ports.iter().cloned()).collect();
        self
    }

    fn rule(&self, peers: &str) -> Value {
        json!({(peers): self.peers, "ports": self.ports})
    }
}

/// Nothing comes in, nothing goes out, for every pod of the namespace.
pub(super) fn default_deny() -> Value {
    let spec = json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]});
    cluster::object(API, "NetworkPolicy", "default-deny", spec)
}

/// Everything of a workload that the contract knows the place of.
pub(super) fn policy(workload: &str, inwards: &[Way], outwards: &[Way]) -> Value {
    let spec = json!({
        "podSelector": {"matchLabels": cluster::labels(workload)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": inwards.iter().map(|w| w.rule("from")).collect::<Vec<_>>(),
        "egress": outwards.iter().map(|w| w.rule("to")).collect::<Vec<_>>(),
    });
    cluster::object(API, "NetworkPolicy", workload, spec)
}

/// The way of a workload to one thing of a kind.
pub(super) fn outside(workload: &str, kind: &str, way: &Way) -> Value {
    let spec = json!({
        "podSelector": {"matchLabels": cluster::labels(workload)},
        "policyTypes": ["Egress"],
        "egress": [way.rule("to")],
    });
    let name = format!("{workload}-to-{kind}");
    let mut object = cluster::object(API, "NetworkPolicy", &name, spec);
    object["metadata"]["labels"] = json!({(NAME_LABEL): workload, (TO_LABEL): kind});
    object
}

fn tcp(port: u16) -> Value {
    json!({"protocol": "TCP", "port": port})
}
