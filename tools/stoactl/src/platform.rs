//! Where a platform is, and how to be let in by its services.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use grpc::{Mesh, MeshChannel, MeshConfig, MeshTls};

/// Where the platform is. What is not given is looked for under `--state`.
#[derive(clap::Args, Debug)]
pub struct Platform {
    /// The state directory of a platform of `make up`.
    #[arg(long, env = "STOA_STATE", default_value = ".stoa", global = true)]
    state: PathBuf,
    /// Where a service answers gRPC, as `orders=https://10.0.0.7:7000`; once for each.
    #[arg(
        long = "address",
        env = "STOA_ADDRESSES",
        value_delimiter = ',',
        value_name = "SERVICE=URL",
        value_parser = address,
        global = true
    )]
    addresses: Vec<(String, String)>,
    /// Who does TLS with the services.
    #[arg(long, env = "MESH_TLS", value_enum, default_value_t, global = true)]
    mesh_tls: MeshTls,
    /// The certificate of the workload `tools`, PEM.
    #[arg(long, env = "MESH_CERT", global = true)]
    mesh_cert: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long, env = "MESH_KEY", global = true)]
    mesh_key: Option<PathBuf>,
    /// The authorities that sign workloads' certificates, PEM.
    #[arg(long, env = "MESH_CA", global = true)]
    mesh_ca: Option<PathBuf>,
    /// The trust domain of the services' SPIFFE ids.
    #[arg(long, env = "MESH_TRUST_DOMAIN", default_value = "stoa.local", global = true)]
    mesh_trust_domain: String,
    /// The namespace in them.
    #[arg(long, env = "MESH_NAMESPACE", default_value = "stoa", global = true)]
    mesh_namespace: String,
}

/// A platform whose addresses and certificates are known.
#[derive(Clone)]
pub struct Found {
    addresses: BTreeMap<String, String>,
    mesh: Mesh,
    state: PathBuf,
}

impl Platform {
    /// Reads addresses and certificates.
    pub fn find(self) -> Result<Found> {
        let Self { state, addresses, mesh_cert, mesh_key, mesh_ca, .. } = self;
        let mut known = match fs::read_to_string(state.join("run/addresses.json")) {
            Ok(text) => serde_json::from_str(&text).context("run/addresses.json is broken")?,
            Err(_) => BTreeMap::new(),
        };
        known.extend(addresses);
        let pki = |given: Option<PathBuf>, name: &str| {
            given.unwrap_or_else(|| state.join("pki").join(name))
        };
        let (certificate, key) = (pki(mesh_cert, "tools.pem"), pki(mesh_key, "tools.key"));
        let mesh = Mesh::load(&MeshConfig {
            mesh_tls: self.mesh_tls,
            mesh_trust_domain: self.mesh_trust_domain,
            mesh_namespace: self.mesh_namespace,
            ..MeshConfig::native(certificate, key, pki(mesh_ca, "ca.pem"))
        });
        let hint = || {
            let state = state.display();
            format!("no platform of `make up` in {state}; say where it is, see --help")
        };
        Ok(Found { mesh: mesh.with_context(hint)?, addresses: known, state })
    }
}

impl Found {
    /// A channel to a service.
    pub fn channel(&self, service: &'static str) -> Result<MeshChannel> {
        let address = self.addresses.get(service);
        let url = address.with_context(|| {
            format!("nobody says where {service} is: --address {service}=https://…")
        })?;
        self.mesh.channel(url, service)
    }

    /// The password of the administrator of a platform of `make up`.
    pub fn admin_password(&self) -> Option<String> {
        read(&self.state.join("secrets/admin"))
    }
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned()).filter(|t| !t.is_empty())
}

fn address(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((service, url)) if !service.is_empty() && url.contains("://") => {
            Ok((service.to_owned(), url.to_owned()))
        }
        _ => Err("expected SERVICE=URL".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_service_and_a_url() {
        let orders = ("orders".to_owned(), "https://10.0.0.7:7000".to_owned());
        assert_eq!(address("orders=https://10.0.0.7:7000"), Ok(orders));
        for wrong in ["orders", "=https://10.0.0.7", "orders=10.0.0.7:7000"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_directory_without_a_platform_is_named() {
        let nowhere = tempfile::tempdir().unwrap();
        let platform = Platform {
            state: nowhere.path().to_owned(),
            addresses: Vec::new(),
            mesh_tls: MeshTls::Native,
            mesh_cert: None,
            mesh_key: None,
            mesh_ca: None,
            mesh_trust_domain: "stoa.local".to_owned(),
            mesh_namespace: "stoa".to_owned(),
        };
        let error = platform.find().err().map(|error| format!("{error:#}")).unwrap_or_default();
        assert!(error.contains(&nowhere.path().display().to_string()), "{error}");
        assert!(error.contains("MESH_CERT"), "{error}");
    }
}
