//! A catalogue with a few products, at the other end of a real mTLS connection.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use grpc::{Server, Verifier};
use proto::catalog::v1::catalog_service_server::{CatalogService, CatalogServiceServer};
use proto::catalog::v1::*;
use proto::google::r#type::Money;
use runtime::Shutdown;
use testkit::Platform;
use tokio::sync::watch;
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// Products that tests put on sale and take off it.
#[derive(Clone, Default)]
pub struct Shelf {
    products: Arc<Mutex<HashMap<String, Product>>>,
    patience: Arc<Mutex<String>>,
}

impl Shelf {
    /// Puts a product on sale for so many cents.
    pub fn put(&self, name: &str, cents: i64) -> Uuid {
        let id = Uuid::now_v7();
        self.reprice(id, name, cents);
        id
    }

    /// Changes a product.
    pub fn reprice(&self, id: Uuid, name: &str, cents: i64) {
        let price = Money {
            currency_code: "EUR".to_owned(),
            units: cents / 100,
            nanos: (cents % 100) as i32 * 10_000_000,
        };
        let product = Product {
            product_id: id.to_string(),
            name: name.to_owned(),
            price: Some(price),
            ..Product::default()
        };
        self.products.lock().unwrap().insert(id.to_string(), product);
    }

    /// Takes a product off sale.
    pub fn remove(&self, id: Uuid) {
        self.products.lock().unwrap().remove(&id.to_string());
    }

    /// How long the last caller said it waits, in milliseconds.
    pub fn patience(&self) -> u64 {
        let told = self.patience.lock().unwrap();
        told.trim_end_matches('m').parse().unwrap_or_else(|_| panic!("grpc-timeout {told:?}"))
    }

    /// Serves the shelf as workload `catalog`.
    pub async fn serve(&self, platform: &Platform, shutdown: Shutdown) -> SocketAddr {
        let host = platform.host("catalog");
        let keys = grpc::RemoteKeys::new(platform.channel(
            "catalog",
            platform.identity_url().trim_start_matches("https://").parse().unwrap(),
            "identity",
        ));
        let verifier = Verifier::new(&host.token, keys);
        let server = Server::bind("catalog", &host.server, &platform.mesh("catalog"), verifier)
            .await
            .unwrap()
            .add(CatalogServiceServer::new(self.clone()));
        let addr = server.addr().unwrap();
        tokio::spawn(async move {
            let (_ready, followed) = watch::channel(true);
            server.run(followed, shutdown).await.unwrap();
        });
        addr
    }
}

macro_rules! catalogue_of_one_method {
    ($($name:ident($request:ty) -> $answer:ty;)*) => {
        #[tonic::async_trait]
        impl CatalogService for Shelf {
            async fn batch_get_products(
                &self,
                request: Request<BatchGetProductsRequest>,
            ) -> Result<Response<BatchGetProductsResponse>, Status> {
                let told = request.metadata().get("grpc-timeout").map(|v| v.to_str().unwrap());
                *self.patience.lock().unwrap() = told.unwrap_or_default().to_owned();
                let shelf = self.products.lock().unwrap();
                let ids = request.into_inner().product_ids;
                let products = ids.iter().filter_map(|id| shelf.get(id).cloned()).collect();
                Ok(Response::new(BatchGetProductsResponse { products }))
            }

            $(async fn $name(&self, _: Request<$request>) -> Result<Response<$answer>, Status> {
                Err(Status::unimplemented("the cart does not need this"))
            })*
        }
    };
}

catalogue_of_one_method! {
    list_products(ListProductsRequest) -> ListProductsResponse;
    get_product(GetProductRequest) -> Product;
    create_product(CreateProductRequest) -> Product;
    update_product(UpdateProductRequest) -> Product;
    delete_product(DeleteProductRequest) -> ();
    list_categories(ListCategoriesRequest) -> ListCategoriesResponse;
}
