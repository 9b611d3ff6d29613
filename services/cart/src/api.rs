//! The gRPC API: parse, call the core, convert.

mod checkout;
mod convert;
mod personal_data;

use std::sync::Arc;

pub use checkout::CheckoutApi;
use grpc::Caller;
use grpc::convert::parse_id;
pub use personal_data::PersonalDataApi;
use proto::cart::v1::cart_service_server::CartService;
use proto::cart::v1::{
    AddItemRequest, Cart, ClearCartRequest, GetCartRequest, RemoveItemRequest, UpdateItemRequest,
};
use tonic::{Request, Response, Status};

use crate::api::convert::answer;
use crate::core::Carts;
use crate::domain::Line;

/// The signed-in user's cart.
pub struct CartApi {
    carts: Arc<Carts>,
}

impl CartApi {
    pub fn new(carts: Arc<Carts>) -> Self {
        Self { carts }
    }
}

#[tonic::async_trait]
impl CartService for CartApi {
    async fn get_cart(&self, request: Request<GetCartRequest>) -> Result<Response<Cart>, Status> {
        let user = Caller::user_of(&request)?.id;
        answer(self.carts.view(user).await)
    }

    async fn add_item(&self, request: Request<AddItemRequest>) -> Result<Response<Cart>, Status> {
        let user = Caller::user_of(&request)?.id;
        let AddItemRequest { product_id, quantity } = request.into_inner();
        let line = Line { product: parse_id("product_id", &product_id)?, quantity };
        answer(self.carts.add(user, line).await)
    }

    async fn update_item(
        &self,
        request: Request<UpdateItemRequest>,
    ) -> Result<Response<Cart>, Status> {
        let user = Caller::user_of(&request)?.id;
        let UpdateItemRequest { product_id, quantity } = request.into_inner();
        let line = Line { product: parse_id("product_id", &product_id)?, quantity };
        answer(self.carts.update(user, line).await)
    }

    async fn remove_item(
        &self,
        request: Request<RemoveItemRequest>,
    ) -> Result<Response<Cart>, Status> {
        let user = Caller::user_of(&request)?.id;
        let RemoveItemRequest { product_id } = request.into_inner();
        answer(self.carts.remove(user, parse_id("product_id", &product_id)?).await)
    }

    async fn clear_cart(
        &self,
        request: Request<ClearCartRequest>,
    ) -> Result<Response<Cart>, Status> {
        let user = Caller::user_of(&request)?.id;
        answer(self.carts.clear(user).await)
    }
}
