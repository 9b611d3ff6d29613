//! The gRPC API: parse, call a use case, convert.

mod convert;
mod mask;
mod page;

use std::sync::Arc;

use grpc::Problem;
use grpc::convert::parse_id;
use proto::catalog::v1 as pb;
use proto::catalog::v1::catalog_service_server::CatalogService;
use tonic::{Request, Response, Status};

use crate::core::Catalog;

/// Serves the use cases by gRPC.
pub struct CatalogApi {
    core: Arc<Catalog>,
}

impl CatalogApi {
    pub fn new(core: Arc<Catalog>) -> Self {
        Self { core }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl CatalogService for CatalogApi {
    async fn list_products(
        &self,
        request: Request<pb::ListProductsRequest>,
    ) -> Answer<pb::ListProductsResponse> {
        let listing = page::listing(request.into_inner())?;
        let products = self.core.list(&listing).await.map_err(Problem::from)?;
        let (products, next_page_token) = page::cut(&listing, products);
        let products = products.into_iter().map(convert::product).collect();
        Ok(Response::new(pb::ListProductsResponse { products, next_page_token }))
    }

    async fn get_product(&self, request: Request<pb::GetProductRequest>) -> Answer<pb::Product> {
        let pb::GetProductRequest { product_id } = request.into_inner();
        let id = parse_id("product_id", &product_id)?;
        let product = self.core.get(id).await.map_err(Problem::from)?;
        Ok(Response::new(convert::product(product)))
    }

    async fn batch_get_products(
        &self,
        request: Request<pb::BatchGetProductsRequest>,
    ) -> Answer<pb::BatchGetProductsResponse> {
        let pb::BatchGetProductsRequest { product_ids } = request.into_inner();
        let ids = product_ids.iter().map(|id| parse_id("product_ids", id));
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        let products = self.core.get_many(&ids).await.map_err(Problem::from)?;
        let products = products.into_iter().map(convert::product).collect();
        Ok(Response::new(pb::BatchGetProductsResponse { products }))
    }

    async fn create_product(
        &self,
        request: Request<pb::CreateProductRequest>,
    ) -> Answer<pb::Product> {
        let pb::CreateProductRequest { product } = request.into_inner();
        let draft = convert::draft(product.unwrap_or_default())?;
        let product = self.core.create(draft).await.map_err(Problem::from)?;
        Ok(Response::new(convert::product(product)))
    }

    async fn update_product(
        &self,
        request: Request<pb::UpdateProductRequest>,
    ) -> Answer<pb::Product> {
        let pb::UpdateProductRequest { product_id, product, update_mask } = request.into_inner();
        let id = parse_id("product_id", &product_id)?;
        let patch = mask::patch(product.unwrap_or_default(), update_mask)?;
        let product = self.core.update(id, patch).await.map_err(Problem::from)?;
        Ok(Response::new(convert::product(product)))
    }

    async fn delete_product(&self, request: Request<pb::DeleteProductRequest>) -> Answer<()> {
        let pb::DeleteProductRequest { product_id } = request.into_inner();
        let id = parse_id("product_id", &product_id)?;
        self.core.delete(id).await.map_err(Problem::from)?;
        Ok(Response::new(()))
    }

    async fn list_categories(
        &self,
        request: Request<pb::ListCategoriesRequest>,
    ) -> Answer<pb::ListCategoriesResponse> {
        let pb::ListCategoriesRequest {} = request.into_inner();
        let categories = self.core.categories().await.map_err(Problem::from)?;
        let categories = categories.into_iter().map(convert::category).collect();
        Ok(Response::new(pb::ListCategoriesResponse { categories }))
    }
}
