//! The mesh from inside: who may call which service without the edge.

use std::time::Duration;

use grpc::{Mesh, MeshChannel, MeshConfig};
use proto::catalog::v1::catalog_service_client::CatalogServiceClient;
use proto::catalog::v1::{BatchGetProductsRequest, ListProductsRequest};
use tonic::Code;
use tonic::transport::Endpoint;

use crate::platform::{Platform, with_platform};

fn channel(platform: &Platform, from: &str, to: &'static str) -> MeshChannel {
    let pki = platform.stack.pki_dir();
    let (certificate, key) = (pki.join(format!("{from}.pem")), pki.join(format!("{from}.key")));
    let mesh = Mesh::load(&MeshConfig::native(certificate, key, pki.join("ca.pem")));
    mesh.unwrap().channel(&platform.stack.grpc_url(to), to).unwrap()
}

#[test]
fn a_workload_may_call_what_names_it_and_nothing_else() {
    with_platform(async |platform| {
        let ask = |from: &'static str| {
            let mut client = CatalogServiceClient::new(channel(&platform, from, "catalog"));
            async move { client.batch_get_products(BatchGetProductsRequest::default()).await }
        };
        assert!(ask("cart").await.is_ok());
        for stranger in ["edge", "tools", "payments"] {
            assert_eq!(
                ask(stranger).await.unwrap_err().code(),
                Code::PermissionDenied,
                "{stranger}"
            );
        }
    });
}

#[test]
fn internal_tools_may_call_public_methods() {
    with_platform(async |platform| {
        let mut client = CatalogServiceClient::new(channel(&platform, "tools", "catalog"));
        client.list_products(ListProductsRequest::default()).await.unwrap();
    });
}

#[test]
fn without_a_certificate_there_is_no_connection() {
    with_platform(async |platform| {
        let url = platform.stack.grpc_url("catalog").replace("https://", "http://");
        let endpoint = Endpoint::from_shared(url).unwrap().timeout(Duration::from_secs(5));
        let mut client = CatalogServiceClient::new(endpoint.connect_lazy());
        let refused = client.list_products(ListProductsRequest::default()).await.unwrap_err();
        // The connection is closed before any RPC: the status is the client's own.
        assert!(std::error::Error::source(&refused).is_some(), "{refused}");
    });
}

#[test]
fn internal_methods_do_not_exist_at_the_edge() {
    with_platform(async |platform| {
        let endpoint = Endpoint::from_shared(platform.stack.edge_url()).unwrap();
        let mut client = CatalogServiceClient::new(endpoint.connect_lazy());
        let refused = client.batch_get_products(BatchGetProductsRequest::default()).await;
        assert_eq!(refused.unwrap_err().code(), Code::Unimplemented);
        client.list_products(ListProductsRequest::default()).await.expect("native gRPC passes");
    });
}
