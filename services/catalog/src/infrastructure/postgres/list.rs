//! The query of a page of products.

use sqlx::{Postgres, QueryBuilder};

use super::products::SELECT_ON_SALE;
use crate::domain::{Filter, Listing, Position, Sort, SortKey};

/// Reads the page after a position by its key (keyset), not by counting rows.
pub(super) fn query(listing: &Listing) -> QueryBuilder<Postgres> {
    let Listing { filter, sort, after, size } = listing;
    let mut sql = QueryBuilder::new(SELECT_ON_SALE);
    push_filter(&mut sql, filter);
    let key = match sort {
        Sort::Name => "sort_name",
        Sort::PriceAscending | Sort::PriceDescending => "price_minor",
        Sort::Newest => "created_at",
    };
    let (beyond, direction) = if sort.is_descending() { ("<", "desc") } else { (">", "asc") };
    if let Some(after) = after {
        sql.push(format_args!(" and ({key}, id) {beyond} ("));
        push_position(&mut sql, after);
        sql.push(")");
    }
    sql.push(format_args!(" order by {key} {direction}, id {direction} limit "));
    sql.push_bind(size.probe());
    sql
}

fn push_filter(sql: &mut QueryBuilder<Postgres>, filter: &Filter) {
    let Filter { words, category, min_price, max_price } = filter;
    if let Some(words) = words {
        sql.push(" and search @@ search_query(").push_bind(words.clone()).push(")");
    }
    if let Some(category) = category {
        sql.push(" and category = ").push_bind(category.clone());
    }
    if let Some(price) = min_price {
        sql.push(" and price_minor >= ").push_bind(*price);
    }
    if let Some(price) = max_price {
        sql.push(" and price_minor <= ").push_bind(*price);
    }
}

fn push_position(sql: &mut QueryBuilder<Postgres>, position: &Position) {
    let Position { key, id } = position;
    match key {
        SortKey::Name(name) => sql.push_bind(name.clone()),
        SortKey::Price(minor) => sql.push_bind(*minor),
        SortKey::Created(time) => sql.push_bind(*time),
    };
    sql.push(", ").push_bind(*id);
}
