//! What other workloads keep about a person, by gRPC.

use async_trait::async_trait;
use grpc::MeshChannel;
use tonic::Status;
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::PersonalData;

/// A workload's `PersonalDataService`; each package has messages of its own.
macro_rules! elsewhere {
    ($name:ident, $package:ident) => {
        #[doc = concat!("What `", stringify!($package), "` keeps.")]
        pub struct $name {
            client: proto::$package::v1::personal_data_service_client::PersonalDataServiceClient<
                MeshChannel,
            >,
        }

        impl $name {
            pub fn new(channel: MeshChannel) -> Self {
                use proto::$package::v1::personal_data_service_client::PersonalDataServiceClient;
                Self { client: PersonalDataServiceClient::new(channel) }
            }
        }

        #[async_trait]
        impl PersonalData for $name {
            fn name(&self) -> &'static str {
                stringify!($package)
            }

            async fn export(&self, user: Uuid) -> Result<String, Error> {
                use proto::$package::v1::{ExportPersonalDataRequest, ExportPersonalDataResponse};
                let request = ExportPersonalDataRequest { user_id: user.to_string() };
                let answer = self.client.clone().export_personal_data(request).await;
                let answer = answer.map_err(|status| unreachable(self.name(), status))?;
                let ExportPersonalDataResponse { json } = answer.into_inner();
                Ok(json)
            }

            async fn erase(&self, user: Uuid) -> Result<bool, Error> {
                use proto::$package::v1::{ErasePersonalDataRequest, ErasePersonalDataResponse};
                let request = ErasePersonalDataRequest { user_id: user.to_string() };
                let answer = self.client.clone().erase_personal_data(request).await;
                let answer = answer.map_err(|status| unreachable(self.name(), status))?;
                let ErasePersonalDataResponse { complete } = answer.into_inner();
                Ok(complete)
            }
        }
    };
}

elsewhere!(CartData, cart);
elsewhere!(OrdersData, orders);
elsewhere!(PaymentsData, payments);
elsewhere!(NotificationsData, notifications);

fn unreachable(workload: &str, status: Status) -> Error {
    Error::Elsewhere(format!("{workload}: {status}"))
}
