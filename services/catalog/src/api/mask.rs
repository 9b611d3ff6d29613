//! Field masks of updates (AIP-134).

use std::collections::BTreeSet;

use grpc::Problem;
use prost_types::FieldMask;
use proto::catalog::v1 as pb;

use super::convert::parse_price;
use crate::domain::Patch;

/// What people may change.
const CHANGEABLE: [&str; 6] = ["sku", "name", "description", "category", "price", "image_url"];

/// What only the server changes; naming it has no effect (AIP-203).
const OUTPUT_ONLY: [&str; 3] = ["product_id", "create_time", "update_time"];

/// The fields that an update changes.
enum Chosen {
    /// Those that are set in the body.
    Populated,
    /// These, set or not.
    Named(BTreeSet<String>),
    /// All of them, set or not.
    All,
}

impl Chosen {
    fn from_mask(mask: Option<FieldMask>) -> Result<Self, Problem> {
        let paths = mask.map(|FieldMask { paths }| paths).unwrap_or_default();
        if paths.is_empty() {
            return Ok(Self::Populated);
        }
        if paths.iter().any(|path| path == "*") {
            return Ok(Self::All);
        }
        let known = |path: &str| CHANGEABLE.contains(&path) || OUTPUT_ONLY.contains(&path);
        match paths.iter().find(|path| !known(path)) {
            Some(path) => Err(unknown(path)),
            None => Ok(Self::Named(paths.into_iter().collect())),
        }
    }

    fn has(&self, path: &str, populated: bool) -> bool {
        match self {
            Self::Populated => populated,
            Self::Named(paths) => paths.contains(path),
            Self::All => true,
        }
    }
}

/// The change that a body and its mask ask for.
pub(super) fn patch(product: pb::Product, mask: Option<FieldMask>) -> Result<Patch, Problem> {
    let pb::Product {
        product_id: _,
        sku,
        name,
        description,
        category,
        price,
        image_url,
        create_time: _,
        update_time: _,
    } = product;
    let chosen = Chosen::from_mask(mask)?;
    let text = |path, value: String| chosen.has(path, !value.is_empty()).then_some(value);
    let price = match price {
        Some(price) if chosen.has("price", true) => Some(parse_price(&price)?),
        None if chosen.has("price", false) => {
            return Err(Problem::field("product.price", "is required"));
        }
        _ => None,
    };
    Ok(Patch {
        sku: text("sku", sku),
        name: text("name", name),
        description: text("description", description),
        category: text("category", category),
        price,
        image_url: text("image_url", image_url),
    })
}

fn unknown(path: &str) -> Problem {
    let path: String = path.chars().take(40).collect();
    let text = format!("`{path}` cannot be changed; the fields are {}", CHANGEABLE.join(", "));
    Problem::invalid("FIELD_MASK_INVALID", text.clone()).with_field("update_mask", text)
}
