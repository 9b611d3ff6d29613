//! Carts and what they cost.

use std::collections::HashMap;

use types::{Money, MoneyError};
use uuid::Uuid;

/// The most different products in a cart.
pub const MAX_LINES: usize = 100;

/// The most pieces of one product in a cart.
pub const MAX_QUANTITY: i32 = 99;

/// Pieces of a product that a user means to buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub product: Uuid,
    pub quantity: i32,
}

/// A product on sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    pub id: Uuid,
    pub name: String,
    pub price: Money,
}

/// A cart at the prices of the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedCart {
    pub items: Vec<Item>,
    /// Nothing when no item can be bought.
    pub total: Option<Money>,
}

/// A line with its product; without one it can no longer be bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub line: Line,
    pub offer: Option<Offer>,
}

/// What a line costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub name: String,
    pub unit_price: Money,
    pub line_total: Money,
}

impl PricedCart {
    /// Prices lines, in their order.
    pub fn price(lines: &[Line], products: Vec<Product>) -> Result<Self, MoneyError> {
        let mut known: HashMap<Uuid, Product> = products.into_iter().map(|p| (p.id, p)).collect();
        let mut items = Vec::with_capacity(lines.len());
        let mut total: Option<Money> = None;
        for line in lines {
            let offer = match known.remove(&line.product) {
                Some(product) => Some(Offer::of(product, line.quantity)?),
                None => None,
            };
            if let Some(offer) = &offer {
                total = Some(match total {
                    Some(sum) => sum.checked_add(offer.line_total)?,
                    None => offer.line_total,
                });
            }
            items.push(Item { line: *line, offer });
        }
        Ok(Self { items, total })
    }
}

impl Offer {
    fn of(product: Product, quantity: i32) -> Result<Self, MoneyError> {
        let line_total = product.price.times(quantity)?;
        Ok(Self { name: product.name, unit_price: product.price, line_total })
    }
}

#[cfg(test)]
mod tests {
    use types::Currency;

    use super::*;

    fn product(id: u128, cents: i64) -> Product {
        let price = Money::new(cents, Currency::Eur);
        Product { id: Uuid::from_u128(id), name: format!("product {id}"), price }
    }

    fn line(id: u128, quantity: i32) -> Line {
        Line { product: Uuid::from_u128(id), quantity }
    }

    #[test]
    fn the_total_is_the_sum_of_the_lines() {
        let lines = [line(1, 2), line(2, 3)];
        let cart = PricedCart::price(&lines, vec![product(2, 50), product(1, 1_999)]);
        let cart = cart.expect("one currency");
        assert_eq!(cart.total, Some(Money::new(4_148, Currency::Eur)));
        assert_eq!(cart.items[0].line, lines[0]);
    }

    #[test]
    fn what_is_no_longer_on_sale_has_no_price_and_does_not_count() {
        let cart = PricedCart::price(&[line(1, 1), line(2, 1)], vec![product(1, 100)]);
        let cart = cart.expect("one currency");
        assert_eq!(cart.total, Some(Money::new(100, Currency::Eur)));
        assert_eq!(cart.items[1].offer, None);
    }

    #[test]
    fn an_empty_cart_costs_nothing_at_all() {
        let cart = PricedCart::price(&[], vec![]).expect("nothing to add");
        assert_eq!(cart, PricedCart { items: vec![], total: None });
    }
}
