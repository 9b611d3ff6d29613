//! Products and the rules for what people say about them.

use time::OffsetDateTime;
use types::{Currency, Money};
use uuid::Uuid;

/// The highest price, in whole units of the currency.
const MAX_PRICE_UNITS: i64 = 1_000_000;

/// Something that is sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// UUIDv7.
    pub id: Uuid,
    pub details: Details,
    pub created: OffsetDateTime,
    pub updated: OffsetDateTime,
}

/// What the shop's staff say about a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// Unique among the products on sale.
    pub sku: String,
    pub name: String,
    pub description: String,
    /// Slug of a category.
    pub category: String,
    /// For one piece, tax included.
    pub price: Money,
    pub image_url: String,
}

/// A group of products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    pub slug: String,
    pub name: String,
    /// Products on sale in it.
    pub products: i64,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its path in the product.
    pub field: &'static str,
    pub text: String,
}

/// A product that somebody wants to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub sku: String,
    pub name: String,
    pub description: String,
    pub category: String,
    pub price: Option<Money>,
    pub image_url: String,
}

impl Draft {
    /// The details, or everything that is wrong with them.
    pub fn check(self, shop: Currency) -> Result<Details, Vec<Violation>> {
        let Self { sku, name, description, category, price, image_url } = self;
        let mut wrong = Vec::new();
        check_required("sku", &sku, &mut wrong);
        check_required("name", &name, &mut wrong);
        check_text("description", &description, &mut wrong);
        check_required("category", &category, &mut wrong);
        match price {
            Some(price) => check_price(price, shop, &mut wrong),
            None => wrong.push(violation("price", "is required")),
        }
        check_line("image_url", &image_url, &mut wrong);
        match price {
            Some(price) if wrong.is_empty() => {
                Ok(Details { sku, name, description, category, price, image_url })
            }
            _ => Err(wrong),
        }
    }
}

/// New values for some of a product's details.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    pub sku: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub category: Option<String>,
    pub price: Option<Money>,
    pub image_url: Option<String>,
}

impl Patch {
    /// Everything that is wrong with the new values.
    pub fn check(&self, shop: Currency) -> Result<(), Vec<Violation>> {
        let Self { sku, name, description, category, price, image_url } = self;
        let mut wrong = Vec::new();
        for (field, value) in [("sku", sku), ("name", name), ("category", category)] {
            if let Some(value) = value {
                check_required(field, value, &mut wrong);
            }
        }
        if let Some(description) = description {
            check_text("description", description, &mut wrong);
        }
        if let Some(price) = price {
            check_price(*price, shop, &mut wrong);
        }
        if let Some(url) = image_url {
            check_line("image_url", url, &mut wrong);
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// The details with the new values.
    pub fn apply(self, old: Details) -> Details {
        Details {
            sku: self.sku.unwrap_or(old.sku),
            name: self.name.unwrap_or(old.name),
            description: self.description.unwrap_or(old.description),
            category: self.category.unwrap_or(old.category),
            price: self.price.unwrap_or(old.price),
            image_url: self.image_url.unwrap_or(old.image_url),
        }
    }
}

fn violation(field: &'static str, text: impl Into<String>) -> Violation {
    Violation { field, text: text.into() }
}

fn check_required(field: &'static str, value: &str, wrong: &mut Vec<Violation>) {
    if value.trim().is_empty() {
        wrong.push(violation(field, "is required"));
    } else if value.trim() != value {
        wrong.push(violation(field, "must not begin or end with a blank"));
    } else {
        check_line(field, value, wrong);
    }
}

fn check_line(field: &'static str, value: &str, wrong: &mut Vec<Violation>) {
    if value.chars().any(char::is_control) {
        wrong.push(violation(field, "must not hold control characters"));
    }
}

fn check_text(field: &'static str, value: &str, wrong: &mut Vec<Violation>) {
    if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        wrong.push(violation(field, "must not hold control characters but line ends and tabs"));
    }
}

fn check_price(price: Money, shop: Currency, wrong: &mut Vec<Violation>) {
    if price.currency() != shop {
        let text = format!("must be {}, the shop's currency", shop.code());
        wrong.push(violation("price.currency_code", text));
        return;
    }
    let highest = MAX_PRICE_UNITS * shop.minor_per_unit();
    if !(1..=highest).contains(&price.minor()) {
        let (lowest, highest) = (Money::new(1, shop), Money::new(highest, shop));
        wrong.push(violation("price", format!("must be between {lowest} and {highest}")));
    }
}

#[cfg(test)]
#[path = "product_tests.rs"]
mod tests;
