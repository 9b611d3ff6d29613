//! Workloads as the matrix tries them: every one of the contract with its real
//! certificate, and certificates that are wrong in one way each.

use contract::{Contract, EDGE, TOOLS};
use e2e::mesh::{identity, read};
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
    date_time_ymd,
};
use stack::Stack;
use tonic::transport::{Channel, Identity};

/// What a certificate is worth.
pub enum Standing {
    /// It names this workload.
    Workload(String),
    /// The authority is the right one, but it names no workload of ours.
    Unnamed,
    /// TLS itself refuses it.
    Untrusted,
}

/// A column of the matrix.
pub struct Peer {
    pub name: String,
    pub standing: Standing,
    identity: Option<Identity>,
}

impl Peer {
    fn new(name: &str, standing: Standing, identity: Option<Identity>) -> Self {
        Self { name: name.to_owned(), standing, identity }
    }

    fn named(name: &str, identity: Identity) -> Self {
        Self::new(name, Standing::Workload(name.to_owned()), Some(identity))
    }

    /// A lazy channel to a workload's own port.
    pub fn channel(&self, stack: &Stack, workload: &str) -> Channel {
        e2e::mesh::channel(stack, self.identity.as_ref(), workload)
    }
}

/// Everybody. Wrong certificates claim to be `orders`, which may call most.
pub fn all(stack: &Stack, contract: &Contract) -> Vec<Peer> {
    let pki = stack.pki_dir();
    let file = |name: &str| read(&pki.join(name));
    let mut workloads = contract.workloads();
    workloads.extend([EDGE, TOOLS].map(str::to_owned));
    let real = |name: &String| Peer::named(name, identity(stack, name));
    let mut peers: Vec<Peer> = workloads.iter().map(real).collect();

    let key = KeyPair::from_pem(&file("ca.key")).unwrap();
    let ours = Authority(Issuer::from_ca_cert_pem(&file("ca.pem"), key).unwrap());
    let id = |name: &str| format!("spiffe://stoa.local/ns/stoa/sa/{name}");
    let (orders, abroad) = (id("orders"), "spiffe://shop.example.com/ns/stoa/sa/orders".to_owned());
    let several = [orders.clone(), id("edge")];
    let unnamed = |name, ids: &[String]| Peer::new(name, Standing::Unnamed, Some(ours.issue(ids)));
    let untrusted = |name, identity| Peer::new(name, Standing::Untrusted, identity);
    peers.push(Peer::named("sandbox", ours.issue(&[id("sandbox")])));
    peers.push(unnamed("no id", &[]));
    peers.push(unnamed("two ids", &several));
    peers.push(unnamed("foreign trust domain", &[abroad]));
    let orders = [orders];
    peers.push(untrusted("expired certificate", Some(ours.issue_until_2020(&orders))));
    peers.push(untrusted("another authority", Some(Authority::new().issue(&orders))));
    peers.push(untrusted("no certificate", None));
    peers
}

/// Signs certificates.
struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(Issuer::new(params, KeyPair::generate().unwrap()))
    }

    fn issue(&self, ids: &[String]) -> Identity {
        self.sign(leaf(ids))
    }

    fn issue_until_2020(&self, ids: &[String]) -> Identity {
        let mut params = leaf(ids);
        (params.not_before, params.not_after) =
            (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
        self.sign(params)
    }

    fn sign(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity::from_pem(certificate.pem(), key.serialize_pem())
    }
}

fn leaf(ids: &[String]) -> CertificateParams {
    let mut params = CertificateParams::new(["orders".to_owned()]).unwrap();
    let ids = ids.iter().map(|id| SanType::URI(Ia5String::try_from(id.as_str()).unwrap()));
    params.subject_alt_names.extend(ids);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params
}
