//! Between the domain and the contract.

use grpc::Problem;
use grpc::convert::{money, timestamp};
use proto::catalog::v1 as pb;
use proto::google::r#type::Money as PbMoney;
use types::{Money, MoneyError};

use crate::core::Error;
use crate::domain::{Category, Details, Draft, Product};

pub(super) fn product(product: Product) -> pb::Product {
    let Product { id, details, created, updated } = product;
    let Details { sku, name, description, category, price, image_url } = details;
    pb::Product {
        product_id: id.to_string(),
        sku,
        name,
        description,
        category,
        price: Some(money(price)),
        image_url,
        create_time: Some(timestamp(created)),
        update_time: Some(timestamp(updated)),
    }
}

pub(super) fn category(category: Category) -> pb::Category {
    let Category { slug, name, products } = category;
    let product_count = i32::try_from(products).unwrap_or(i32::MAX);
    pb::Category { slug, name, product_count }
}

/// A new product. What only the server sets is ignored (AIP-203).
pub(super) fn draft(product: pb::Product) -> Result<Draft, Problem> {
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
    let price = price.as_ref().map(parse_price).transpose()?;
    Ok(Draft { sku, name, description, category, price, image_url })
}

pub(super) fn parse_price(price: &PbMoney) -> Result<Money, Problem> {
    let PbMoney { currency_code, units, nanos } = price;
    Money::from_units(currency_code, *units, *nanos).map_err(|error| {
        let field = match error {
            MoneyError::UnknownCurrency(_) => "product.price.currency_code",
            _ => "product.price",
        };
        Problem::field(field, error.to_string())
    })
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::ProductNotFound(_) => Self::not_found("PRODUCT_NOT_FOUND", text),
            Error::SkuTaken => Self::already_exists("SKU_TAKEN", text),
            Error::CategoryUnknown => {
                let field = "is not the slug of a category";
                Self::invalid("CATEGORY_UNKNOWN", text).with_field("product.category", field)
            }
            Error::Invalid(violations) => {
                let text = "the product is not acceptable; see field_violations";
                let problem = Self::invalid("VALIDATION_FAILED", text);
                violations.into_iter().fold(problem, |problem, violation| {
                    problem.with_field(&format!("product.{}", violation.field), violation.text)
                })
            }
            Error::Unavailable(_) => {
                tracing::warn!(error = text, "the database does not answer (DATABASE_URL)");
                Self::unavailable("DATABASE_UNAVAILABLE", "try again in a moment")
            }
            Error::Internal(cause) => Self::internal(cause),
        }
    }
}
