//! Addresses.

use grpc::Problem;
use proto::identity::v1 as pb;
use proto::types::v1 as types_pb;

use super::mask::Mask;
use crate::core::Error;
use crate::domain::{AddressChange, PostalAddress, SavedAddress};

pub(in crate::api) fn saved_address(address: SavedAddress) -> pb::SavedAddress {
    let SavedAddress { id, label, postal, is_default, created_at, updated_at } = address;
    let PostalAddress { recipient, street, city, postal_code, country_code } = postal;
    let postal = types_pb::Address { recipient, street, city, postal_code, country_code };
    pb::SavedAddress {
        address_id: id.to_string(),
        label,
        postal_address: Some(postal),
        is_default,
        create_time: Some(grpc::convert::timestamp(created_at)),
        update_time: Some(grpc::convert::timestamp(updated_at)),
    }
}

/// `field` is its path in the request.
pub(in crate::api) fn postal_address(
    field: &str,
    address: Option<types_pb::Address>,
) -> Result<PostalAddress, Problem> {
    let address = address.ok_or_else(|| Problem::field(field, "is required"))?;
    let types_pb::Address { recipient, street, city, postal_code, country_code } = address;
    Ok(PostalAddress { recipient, street, city, postal_code, country_code })
}

/// What an update asks for (AIP-134). Without a mask an address that is not said to be
/// the default stays what it is.
pub(in crate::api) fn address_change(
    request: pb::UpdateAddressRequest,
) -> Result<AddressChange, Problem> {
    let pb::UpdateAddressRequest { address_id: _, address, update_mask } = request;
    let address = address.ok_or_else(|| Problem::field("address", "is required"))?;
    let pb::SavedAddress {
        address_id: _,
        label,
        postal_address: postal,
        is_default,
        create_time: _,
        update_time: _,
    } = address;
    let asked = Mask::of(update_mask, &["label", "postal_address", "is_default"])?;
    let postal = match asked.takes("postal_address", postal.is_some()) {
        true => Some(postal_address("address.postal_address", postal)?),
        false => None,
    };
    Ok(AddressChange {
        label: asked.takes("label", !label.is_empty()).then_some(label),
        postal,
        is_default: asked.takes("is_default", is_default).then_some(is_default),
    })
}

/// Says which country is none.
pub(in crate::api) fn at_country(address: &str, error: Error) -> Problem {
    let unknown = matches!(error, Error::CountryUnknown);
    let problem = Problem::from(error);
    match unknown {
        true => problem.with_field(&format!("{address}.country_code"), "is not a country"),
        false => problem,
    }
}

#[cfg(test)]
mod tests {
    use prost_types::FieldMask;

    use super::*;

    #[test]
    fn a_mask_decides_what_an_update_of_an_address_changes() {
        let change = |paths: &[&str], label: &str| {
            let paths = paths.iter().map(ToString::to_string).collect();
            let address = pb::SavedAddress { label: label.to_owned(), ..Default::default() };
            address_change(pb::UpdateAddressRequest {
                address: Some(address),
                update_mask: Some(FieldMask { paths }),
                ..Default::default()
            })
        };
        let labelled = |label: &str| AddressChange {
            label: Some(label.to_owned()),
            ..AddressChange::default()
        };
        assert_eq!(change(&[], "Home"), Ok(labelled("Home")));
        assert_eq!(change(&[], ""), Ok(AddressChange::default()));
        assert_eq!(change(&["label"], ""), Ok(labelled("")));
        let reason = |paths: &[&str]| change(paths, "").map_err(|p| p.reason());
        assert_eq!(reason(&["address_id"]), Err("FIELD_MASK_INVALID"));
        assert_eq!(reason(&["postal_address.city"]), Err("FIELD_MASK_INVALID"));
        assert_eq!(reason(&["postal_address"]), Err("VALIDATION_FAILED"));
    }
}
