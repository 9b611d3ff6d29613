//! The address book.

use futures::future::join_all;
use prost_types::FieldMask;
use proto::identity::v1::{
    CreateAddressRequest, DeleteAddressRequest, GetAddressRequest, ListAddressesRequest,
    SavedAddress, Session, UpdateAddressRequest,
};
use proto::types::v1::Address;
use testkit::{bearer, fields};
use tonic::{Code, Status};

use crate::world::{World, refused, user_id};

fn postal(street: &str) -> Address {
    Address {
        recipient: "Ada Lovelace".to_owned(),
        street: street.to_owned(),
        city: "London".to_owned(),
        postal_code: "SW1Y 4JH".to_owned(),
        country_code: "GB".to_owned(),
    }
}

impl World {
    async fn add(
        &self,
        session: &Session,
        address: CreateAddressRequest,
    ) -> Result<SavedAddress, Status> {
        let request = bearer(address, &session.access_token);
        Ok(self.addresses().create_address(request).await?.into_inner())
    }

    /// Adds an address with this street.
    pub async fn moves_in(&self, session: &Session, street: &str) -> SavedAddress {
        let address = CreateAddressRequest {
            label: street.to_owned(),
            postal_address: Some(postal(street)),
            is_default: false,
        };
        self.add(session, address).await.unwrap()
    }

    pub async fn book(&self, session: &Session) -> Vec<SavedAddress> {
        let request = bearer(ListAddressesRequest {}, &session.access_token);
        self.addresses().list_addresses(request).await.unwrap().into_inner().addresses
    }

    async fn get(&self, session: &Session, address_id: &str) -> Result<SavedAddress, Status> {
        let request = GetAddressRequest { address_id: address_id.to_owned() };
        let request = bearer(request, &session.access_token);
        Ok(self.addresses().get_address(request).await?.into_inner())
    }

    async fn alter(
        &self,
        session: &Session,
        address: SavedAddress,
        paths: &[&str],
    ) -> Result<SavedAddress, Status> {
        let paths = paths.iter().map(ToString::to_string).collect();
        let request = UpdateAddressRequest {
            address_id: address.address_id.clone(),
            address: Some(address),
            update_mask: Some(FieldMask { paths }),
        };
        let request = bearer(request, &session.access_token);
        Ok(self.addresses().update_address(request).await?.into_inner())
    }

    pub async fn remove_address(&self, session: &Session, address_id: &str) -> Result<(), Status> {
        let request = DeleteAddressRequest { address_id: address_id.to_owned() };
        let request = bearer(request, &session.access_token);
        self.addresses().delete_address(request).await.map(drop)
    }
}

/// Streets, and whether each is the default.
fn shown(book: &[SavedAddress]) -> Vec<(&str, bool)> {
    let street = |a: &'_ SavedAddress| a.postal_address.as_ref().map(|p| p.street.clone());
    assert!(book.iter().all(|a| street(a).is_some()));
    book.iter()
        .map(|a| (a.postal_address.as_ref().unwrap().street.as_str(), a.is_default))
        .collect()
}

#[tokio::test]
async fn as_long_as_there_is_an_address_one_is_the_default() {
    let world = World::start().await;
    let ada = world.register("ada@example.com").await;
    assert_eq!(world.book(&ada).await, []);
    let [one, two, three] = [
        world.moves_in(&ada, "1 First").await,
        world.moves_in(&ada, "2 Second").await,
        world.moves_in(&ada, "3 Third").await,
    ];
    let all = [("1 First", true), ("3 Third", false), ("2 Second", false)];
    assert_eq!(shown(&world.book(&ada).await), all);
    assert_eq!(world.get(&ada, &one.address_id).await.unwrap(), one);

    let chosen = world.alter(&ada, SavedAddress { is_default: true, ..two.clone() }, &[]).await;
    assert!(chosen.unwrap().is_default);
    let none = SavedAddress { is_default: false, ..two.clone() };
    let none = world.alter(&ada, none, &["is_default"]).await;
    refused(none, Code::FailedPrecondition, "DEFAULT_ADDRESS_NEEDED");
    world.remove_address(&ada, &two.address_id).await.unwrap();
    assert_eq!(shown(&world.book(&ada).await), [("3 Third", true), ("1 First", false)]);
    let again = world.remove_address(&ada, &two.address_id).await;
    refused(again, Code::NotFound, "ADDRESS_NOT_FOUND");
    for address in [one, three] {
        world.remove_address(&ada, &address.address_id).await.unwrap();
    }
    assert_eq!(world.book(&ada).await, []);
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_a_postal_address_as_a_whole() {
    let world = World::start().await;
    let ada = world.register("ada@example.com").await;
    let home = world.moves_in(&ada, "1 First").await;
    let moved = SavedAddress {
        label: "Work".to_owned(),
        postal_address: Some(postal("9 Ninth")),
        ..home.clone()
    };
    let relabelled = world.alter(&ada, moved.clone(), &["label"]).await.unwrap();
    assert_eq!(
        (relabelled.label.as_str(), &relabelled.postal_address),
        ("Work", &home.postal_address)
    );
    let changed = world.alter(&ada, moved.clone(), &["postal_address"]).await.unwrap();
    assert_eq!(changed.postal_address, moved.postal_address);
    assert!(changed.is_default && changed.update_time != home.update_time);
    assert_eq!(world.get(&ada, &home.address_id).await.unwrap(), changed);
    let unknown = world.alter(&ada, moved, &["address_id"]).await;
    refused(unknown, Code::InvalidArgument, "FIELD_MASK_INVALID");
}

#[tokio::test]
async fn countries_are_those_of_the_standard_and_parts_as_long_as_an_orders() {
    let world = World::start().await;
    let ada = world.register("ada@example.com").await;
    let try_one = async |address: Address| {
        let postal_address = Some(address);
        world.add(&ada, CreateAddressRequest { postal_address, ..Default::default() }).await
    };
    let nowhere = Address { country_code: "ZZ".to_owned(), ..postal("1 First") };
    let status = refused(try_one(nowhere).await, Code::InvalidArgument, "COUNTRY_UNKNOWN");
    assert_eq!(fields(&status), ["postal_address.country_code"]);
    for broken in [
        Address { country_code: "gb".to_owned(), ..postal("1 First") },
        Address { city: String::new(), ..postal("1 First") },
        postal(&"x".repeat(201)),
    ] {
        refused(try_one(broken).await, Code::InvalidArgument, "VALIDATION_FAILED");
    }
    assert_eq!(world.book(&ada).await, []);
}

#[tokio::test]
async fn of_more_than_fifty_fifty_are_kept_also_when_they_come_at_once() {
    let world = World::start().await;
    let ada = world.register("ada@example.com").await;
    sqlx::query(
        "insert into addresses (id, user_id, label, recipient, street, city, postal_code,
             country_code, is_default, created_at, updated_at)
         select gen_random_uuid(), $1, '', 'Ada', n || ' Street', 'London', 'SW1Y', 'GB', n = 1,
             now(), now() from generate_series(1, 48) n",
    )
    .bind(user_id(&ada))
    .execute(world.pool())
    .await
    .unwrap();
    let add = |i: usize| {
        let (session, world) = (&ada, &world);
        async move {
            let address = CreateAddressRequest {
                label: String::new(),
                postal_address: Some(postal(&format!("{i} Avenue"))),
                is_default: true,
            };
            world.add(session, address).await
        }
    };
    let (kept, refusals): (Vec<_>, Vec<_>) =
        join_all((0..5).map(add)).await.into_iter().partition(Result::is_ok);
    assert_eq!((kept.len(), refusals.len()), (2, 3));
    for refusal in refusals {
        refused(refusal, Code::FailedPrecondition, "TOO_MANY_ADDRESSES");
    }
    let book = world.book(&ada).await;
    assert_eq!((book.len(), book.iter().filter(|a| a.is_default).count()), (50, 1));
}

#[tokio::test]
async fn anothers_address_does_not_exist() {
    let world = World::start().await;
    let ada = world.register("ada@example.com").await;
    let grace = world.register("grace@example.com").await;
    let home = world.moves_in(&ada, "1 First").await;
    let missing = (Code::NotFound, "ADDRESS_NOT_FOUND");
    refused(world.get(&grace, &home.address_id).await, missing.0, missing.1);
    let stolen = SavedAddress { label: "mine".to_owned(), ..home.clone() };
    refused(world.alter(&grace, stolen, &["label"]).await, missing.0, missing.1);
    refused(world.remove_address(&grace, &home.address_id).await, missing.0, missing.1);
    assert_eq!(world.book(&grace).await, []);
    assert_eq!(world.book(&ada).await, [home]);
}
