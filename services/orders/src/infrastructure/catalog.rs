//! Prices from the catalogue, by gRPC.

use async_trait::async_trait;
use grpc::{MeshChannel, Problem, convert};
use proto::catalog::v1 as pb;
use proto::catalog::v1::catalog_service_client::CatalogServiceClient;
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::{Offer, Prices};
use crate::infrastructure::statuses::unreadable;

/// The catalogue service.
pub struct GrpcPrices {
    client: CatalogServiceClient<MeshChannel>,
}

impl GrpcPrices {
    pub fn new(channel: MeshChannel) -> Self {
        Self { client: CatalogServiceClient::new(channel) }
    }
}

#[async_trait]
impl Prices for GrpcPrices {
    async fn offers(&self, products: Vec<Uuid>) -> Result<Vec<Offer>, Error> {
        let product_ids = products.iter().map(Uuid::to_string).collect();
        let request = pb::BatchGetProductsRequest { product_ids };
        let answer = self.client.clone().batch_get_products(request).await;
        let pb::BatchGetProductsResponse { products } =
            answer.map_err(|status| unreadable("catalog", status))?.into_inner();
        let strange = |problem| Error::Internal(format!("catalog answered nonsense: {problem:?}"));
        products.into_iter().map(|product| offer(product).map_err(strange)).collect()
    }
}

fn offer(product: pb::Product) -> Result<Offer, Problem> {
    let pb::Product {
        product_id,
        sku: _,
        name,
        description: _,
        category: _,
        price,
        image_url: _,
        create_time: _,
        update_time: _,
    } = product;
    Ok(Offer {
        product_id: convert::parse_id("product_id", &product_id)?,
        name,
        price: convert::parse_money("price", &price.unwrap_or_default())?,
    })
}
