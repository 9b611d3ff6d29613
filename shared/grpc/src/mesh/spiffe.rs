//! SPIFFE ids: which workload a certificate or a sidecar names.

use rustls_pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use crate::Peer;

/// Why somebody is no workload of ours, for the log.
pub(crate) type Stranger = &'static str;

/// Whose ids are ours: `spiffe://<trust domain>/ns/<namespace>/sa/<workload>`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Domain {
    trust_domain: String,
    namespace: String,
}

impl Domain {
    pub(crate) fn new(trust_domain: &str, namespace: &str) -> Self {
        Self { trust_domain: trust_domain.to_owned(), namespace: namespace.to_owned() }
    }

    /// The workload that an id names.
    pub(crate) fn peer(&self, id: &str) -> Result<Peer, Stranger> {
        let rest = id.strip_prefix("spiffe://").ok_or("its id is no SPIFFE id")?;
        let (trust_domain, path) = rest.split_once('/').ok_or("its SPIFFE id has no path")?;
        if trust_domain != self.trust_domain {
            return Err("its SPIFFE id is of another trust domain");
        }
        let ["ns", namespace, "sa", workload] = path.split('/').collect::<Vec<_>>()[..] else {
            return Err("its SPIFFE id is no workload's");
        };
        if namespace != self.namespace {
            return Err("its SPIFFE id is of another namespace");
        }
        match workload {
            "" => Err("its SPIFFE id is no workload's"),
            workload => Ok(Peer { workload: workload.to_owned() }),
        }
    }

    /// The workload that a certificate names. TLS has verified the certificate.
    pub(crate) fn peer_of(&self, certificate: &CertificateDer<'_>) -> Result<Peer, Stranger> {
        let (_, parsed) =
            parse_x509_certificate(certificate).map_err(|_| "its certificate is no X.509")?;
        let names = parsed.subject_alternative_name().map_err(|_| "its names are malformed")?;
        let names = names.map(|extension| extension.value.general_names.as_slice());
        let mut uris = names.unwrap_or_default().iter().filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        });
        // X.509-SVID, section 2: exactly one URI.
        match (uris.next(), uris.next()) {
            (None, _) => Err("its certificate has no SPIFFE id"),
            (Some(uri), None) => self.peer(uri),
            _ => Err("its certificate has several ids"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_workload_of_our_domain_and_namespace_is_one_of_us() {
        let ours = Domain::new("stoa.local", "stoa");
        let peer = ours.peer("spiffe://stoa.local/ns/stoa/sa/orders");
        assert_eq!(peer, Ok(Peer { workload: "orders".to_owned() }));
        for id in [
            "",
            "orders",
            "https://stoa.local/ns/stoa/sa/orders",
            "spiffe://stoa.local",
            "spiffe://stoa.local/",
            "spiffe://stoa.local/ns/stoa/sa/",
            "spiffe://stoa.local/ns/stoa/sa/orders/",
            "spiffe://stoa.local/ns/stoa/sa/orders/x",
            "spiffe://stoa.local//ns/stoa/sa/orders",
            "spiffe://stoa.local/ns/other/sa/orders",
            "spiffe://stoa.local/ns/stoa/sb/orders",
            "spiffe://stoa.local.example/ns/stoa/sa/orders",
            "spiffe://example/stoa.local/ns/stoa/sa/orders",
            "SPIFFE://stoa.local/ns/stoa/sa/orders",
            "spiffe://user@stoa.local/ns/stoa/sa/orders",
            "spiffe://stoa.local:443/ns/stoa/sa/orders",
        ] {
            assert!(ours.peer(id).is_err(), "{id}");
        }
    }
}
