//! One authority takes over from another while the platform is in use: every process, the
//! edge too, takes up authorities and certificates without a restart. No request fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use proto::catalog::v1::ListProductsRequest;
use proto::catalog::v1::catalog_service_client::CatalogServiceClient;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::platform::{Platform, alone_on_platform, eventually};
use crate::rolling::{BETWEEN, ROLLED, SHOPPERS, all_found, shop};

/// Connections end after so long, and the next are made with what is new.
const SETTINGS: [(&str, &str); 2] = [("MESH_CONNECTION_SECONDS", "2"), ("MESH_REFRESH_MS", "200")];

#[test]
fn an_authority_takes_over_from_another_under_load_and_no_request_fails() {
    alone_on_platform(async |platform| {
        for service in ROLLED {
            platform.stack.kill(service).unwrap();
            platform.stack.restart_with(service, &SETTINGS).unwrap();
        }
        all_found(&platform).await;
        let product = platform.admin.product(2_500, 100_000).await;
        let (answered, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let mut shoppers = Vec::new();
        for _ in 0..SHOPPERS {
            let customer = platform.anonymous().register().await;
            let (product, answered, over) = (product.clone(), answered.clone(), over.clone());
            shoppers.push(tokio::spawn(shop(customer, product, answered, over)));
        }
        let in_use = async || {
            let (before, edge) = (answered.load(Ordering::SeqCst), connections(&platform).await);
            eventually("customers shop, over new connections", async || {
                let new = connections(&platform).await >= edge + 2 * ROLLED.len() as u64;
                (new && answered.load(Ordering::SeqCst) >= before + BETWEEN).then_some(())
            })
            .await;
        };

        let old = first_authority(&platform);
        in_use().await;
        let before = Taken::now(&platform).await;
        platform.stack.announce_authority().unwrap();
        before.grows(&platform).await;
        let before = Taken::now(&platform).await;
        platform.stack.switch_authority().unwrap();
        before.grows(&platform).await;
        in_use().await;
        over.store(true, Ordering::SeqCst);
        for shopper in shoppers {
            shopper.await.expect("no request of a customer fails");
        }

        let new = first_authority(&platform);
        assert_ne!(new, old);
        list_products(&platform, &new).await.expect("its certificate is of the new authority");
        list_products(&platform, &old).await.expect_err("and of no other");
        for service in ROLLED {
            platform.stack.kill(service).unwrap();
            platform.stack.restart(service).unwrap();
        }
        all_found(&platform).await;
    });
}

/// How often new credentials were taken up: by each service, and by the edge for each.
struct Taken {
    services: Vec<u64>,
    edge: u64,
}

impl Taken {
    async fn now(platform: &Platform) -> Self {
        let mut services = Vec::new();
        for service in ROLLED {
            let url = format!("{}/metrics", platform.stack.service_admin_url(service));
            services.push(sum(&url, "mesh_credentials_taken_total ").await);
        }
        let filter = "client_ssl_socket_factory.ssl_context_update_by_sds";
        let url = format!("{}/stats?filter={filter}", platform.stack.edge_admin_url());
        Self { services, edge: sum(&url, filter).await }
    }

    /// Waits until everybody has.
    async fn grows(&self, platform: &Platform) {
        eventually("everybody takes them up", async || {
            let now = Self::now(platform).await;
            let mut pairs = ROLLED.iter().zip(self.services.iter().zip(&now.services));
            let services = pairs.all(|(service, (before, now))| {
                // One for what it serves, one for whom it calls.
                *now >= before + if *service == "orders" { 2 } else { 1 }
            });
            (services && now.edge >= self.edge + ROLLED.len() as u64).then_some(())
        })
        .await;
    }
}

/// Connections that the edge has made to services.
async fn connections(platform: &Platform) -> u64 {
    let filter = "upstream_cx_total";
    let url = format!("{}/stats?filter={filter}", platform.stack.edge_admin_url());
    sum(&url, filter).await
}

/// The sum of the values in lines `<name>: <value>` or `<name> <value>`.
async fn sum(url: &str, name: &str) -> u64 {
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && line.contains(name));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// The one that signs.
fn first_authority(platform: &Platform) -> String {
    const END: &str = "-----END CERTIFICATE-----";
    let all = std::fs::read_to_string(platform.stack.pki_dir().join("ca.pem")).unwrap();
    let (first, _) = all.split_once(END).unwrap();
    format!("{first}{END}\n")
}

/// Asks catalog, whose certificate has to be of this authority.
async fn list_products(platform: &Platform, authority: &str) -> Result<(), tonic::Status> {
    let read = |name: &str| std::fs::read(platform.stack.pki_dir().join(name)).unwrap();
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(authority))
        .identity(Identity::from_pem(read("tools.pem"), read("tools.key")))
        .domain_name("catalog");
    let endpoint = Endpoint::from_shared(platform.stack.grpc_url("catalog")).unwrap();
    let channel = endpoint.tls_config(tls).unwrap().connect_lazy();
    let request = ListProductsRequest { page_size: 1, ..Default::default() };
    CatalogServiceClient::new(channel).list_products(request).await.map(drop)
}
