//! The catalogue over gRPC.

use async_trait::async_trait;
use grpc::MeshChannel;
use grpc::convert::parse_money;
use proto::catalog::v1::BatchGetProductsRequest;
use proto::catalog::v1::catalog_service_client::CatalogServiceClient;
use uuid::Uuid;

use crate::core::{Error, Products};
use crate::domain::Product;

/// Names and prices from the catalog service.
pub struct CatalogProducts {
    client: CatalogServiceClient<MeshChannel>,
}

impl CatalogProducts {
    pub fn new(channel: MeshChannel) -> Self {
        Self { client: CatalogServiceClient::new(channel) }
    }
}

#[async_trait]
impl Products for CatalogProducts {
    async fn get(&self, ids: &[Uuid]) -> Result<Vec<Product>, Error> {
        let product_ids = ids.iter().map(Uuid::to_string).collect();
        let request = BatchGetProductsRequest { product_ids };
        let answer = self.client.clone().batch_get_products(request).await;
        let answer = answer.map_err(|status| Error::CatalogUnavailable(status.to_string()))?;
        answer.into_inner().products.into_iter().map(product).collect()
    }
}

fn product(product: proto::catalog::v1::Product) -> Result<Product, Error> {
    let unusable = || Error::CatalogUnavailable(format!("unusable product {product:?}"));
    let id = Uuid::try_parse(&product.product_id).map_err(|_| unusable())?;
    let price = product.price.as_ref().ok_or_else(unusable)?;
    let price = parse_money("price", price).map_err(|_| unusable())?;
    Ok(Product { id, name: product.name, price })
}
