//! Address books, by gRPC.

use grpc::{Caller, Problem};
use proto::identity::v1 as pb;
use proto::identity::v1::address_service_server::AddressService;
use tonic::{Request, Response};

use super::{Answer, convert};
use crate::core::AddressBook;

/// Serves [`AddressBook`] by gRPC.
pub struct AddressApi {
    core: AddressBook,
}

impl AddressApi {
    pub fn new(core: AddressBook) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl AddressService for AddressApi {
    async fn list_addresses(
        &self,
        request: Request<pb::ListAddressesRequest>,
    ) -> Answer<pb::ListAddressesResponse> {
        let user = Caller::user_of(&request)?.id;
        let pb::ListAddressesRequest {} = request.into_inner();
        let addresses = self.core.list(user).await.map_err(Problem::from)?;
        let addresses = addresses.into_iter().map(convert::saved_address).collect();
        Ok(Response::new(pb::ListAddressesResponse { addresses }))
    }

    async fn get_address(
        &self,
        request: Request<pb::GetAddressRequest>,
    ) -> Answer<pb::SavedAddress> {
        let user = Caller::user_of(&request)?.id;
        let pb::GetAddressRequest { address_id } = request.into_inner();
        let id = grpc::convert::parse_id("address_id", &address_id)?;
        let address = self.core.get(user, id).await.map_err(Problem::from)?;
        Ok(Response::new(convert::saved_address(address)))
    }

    async fn create_address(
        &self,
        request: Request<pb::CreateAddressRequest>,
    ) -> Answer<pb::SavedAddress> {
        let user = Caller::user_of(&request)?.id;
        let pb::CreateAddressRequest { label, postal_address, is_default } = request.into_inner();
        let postal = convert::postal_address("postal_address", postal_address)?;
        let added = self.core.add(user, label, postal, is_default).await;
        let added = added.map_err(|e| convert::at_country("postal_address", e))?;
        Ok(Response::new(convert::saved_address(added)))
    }

    async fn update_address(
        &self,
        request: Request<pb::UpdateAddressRequest>,
    ) -> Answer<pb::SavedAddress> {
        let user = Caller::user_of(&request)?.id;
        let request = request.into_inner();
        let id = grpc::convert::parse_id("address_id", &request.address_id)?;
        let change = convert::address_change(request)?;
        let changed = self.core.change(user, id, change).await;
        let changed = changed.map_err(|e| convert::at_country("address.postal_address", e))?;
        Ok(Response::new(convert::saved_address(changed)))
    }

    async fn delete_address(&self, request: Request<pb::DeleteAddressRequest>) -> Answer<()> {
        let user = Caller::user_of(&request)?.id;
        let pb::DeleteAddressRequest { address_id } = request.into_inner();
        let id = grpc::convert::parse_id("address_id", &address_id)?;
        self.core.remove(user, id).await.map_err(Problem::from)?;
        Ok(Response::new(()))
    }
}
