//! Lists of products: which, in what order, from where on.

use time::OffsetDateTime;
use types::PageSize;
use uuid::Uuid;

use super::Product;

/// A name sorts by this many characters, so that a page token stays within what
/// the contract allows.
const SORTING_CHARS: usize = 64;

/// A page that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub filter: Filter,
    pub sort: Sort,
    /// The last product of the page before.
    pub after: Option<Position>,
    pub size: PageSize,
}

/// Which products.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words that must all match.
    pub words: Option<String>,
    /// Slug of a category.
    pub category: Option<String>,
    /// In minor currency units, inclusive.
    pub min_price: Option<i64>,
    /// In minor currency units, inclusive.
    pub max_price: Option<i64>,
}

/// In what order; equals are told apart by their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Name,
    PriceAscending,
    PriceDescending,
    Newest,
}

impl Sort {
    pub fn is_descending(self) -> bool {
        matches!(self, Self::PriceDescending | Self::Newest)
    }
}

/// Where a product stands in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    pub key: SortKey,
    pub id: Uuid,
}

/// What an order compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortKey {
    /// The beginning of the name.
    Name(String),
    /// Minor currency units.
    Price(i64),
    Created(OffsetDateTime),
}

impl Position {
    pub fn of(product: &Product, sort: Sort) -> Self {
        let details = &product.details;
        let key = match sort {
            Sort::Name => SortKey::Name(details.name.chars().take(SORTING_CHARS).collect()),
            Sort::PriceAscending | Sort::PriceDescending => SortKey::Price(details.price.minor()),
            Sort::Newest => SortKey::Created(product.created),
        };
        Self { key, id: product.id }
    }
}
