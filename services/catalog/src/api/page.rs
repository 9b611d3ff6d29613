//! Pages and their tokens. A token is good only for the filter and the order
//! that it was given out for.

use grpc::Problem;
use proto::catalog::v1 as pb;
use proto::catalog::v1::ProductOrder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use types::{PageSize, PageToken};
use uuid::Uuid;

use crate::domain::{Filter, Listing, Position, Product, Sort, SortKey};

/// What a page token holds. Its names are short because tokens are.
#[derive(Serialize, Deserialize)]
struct Cursor {
    /// Fingerprint of filter and order.
    f: String,
    k: CursorKey,
    id: Uuid,
}

#[derive(Serialize, Deserialize)]
enum CursorKey {
    #[serde(rename = "n")]
    Name(String),
    #[serde(rename = "p")]
    Price(i64),
    /// Microseconds since 1970, as exact as the database is.
    #[serde(rename = "c")]
    Created(i64),
}

/// The list that a request asks for.
pub(super) fn listing(request: pb::ListProductsRequest) -> Result<Listing, Problem> {
    let pb::ListProductsRequest {
        q,
        category,
        min_price_minor,
        max_price_minor,
        order_by,
        page_size,
        page_token,
    } = request;
    let filter = Filter {
        words: given(q.trim()),
        category: given(&category),
        min_price: (min_price_minor > 0).then_some(min_price_minor),
        max_price: (max_price_minor > 0).then_some(max_price_minor),
    };
    let sort = match ProductOrder::try_from(order_by).unwrap_or_default() {
        ProductOrder::Unspecified | ProductOrder::Name => Sort::Name,
        ProductOrder::PriceAsc => Sort::PriceAscending,
        ProductOrder::PriceDesc => Sort::PriceDescending,
        ProductOrder::Newest => Sort::Newest,
    };
    let invalid = || {
        let text = "the page token was not given out for this filter and order";
        Problem::invalid("PAGE_TOKEN_INVALID", text)
    };
    let after = match PageToken::decode::<Cursor>(&page_token).map_err(|_| invalid())? {
        Some(cursor) => Some(position(cursor, &filter, sort).ok_or_else(invalid)?),
        None => None,
    };
    Ok(Listing { filter, sort, after, size: PageSize::from_request(page_size) })
}

/// The page, and the token of the next one.
pub(super) fn cut(listing: &Listing, products: Vec<Product>) -> (Vec<Product>, String) {
    let Listing { filter, sort, after: _, size } = listing;
    size.cut(products, |last| {
        let Position { key, id } = Position::of(last, *sort);
        let k = match key {
            SortKey::Name(name) => CursorKey::Name(name),
            SortKey::Price(minor) => CursorKey::Price(minor),
            SortKey::Created(time) => CursorKey::Created(micros(time)),
        };
        Cursor { f: fingerprint(filter, *sort), k, id }
    })
}

/// Where a token points, if it was given out for this filter and order.
fn position(cursor: Cursor, filter: &Filter, sort: Sort) -> Option<Position> {
    let Cursor { f, k, id } = cursor;
    if f != fingerprint(filter, sort) {
        return None;
    }
    let key = match (k, sort) {
        (CursorKey::Name(name), Sort::Name) if !name.contains('\0') => SortKey::Name(name),
        (CursorKey::Price(minor), Sort::PriceAscending | Sort::PriceDescending) => {
            SortKey::Price(minor)
        }
        (CursorKey::Created(micros), Sort::Newest) => {
            let nanos = i128::from(micros) * 1_000;
            SortKey::Created(OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?)
        }
        _ => return None,
    };
    Some(Position { key, id })
}

fn fingerprint(filter: &Filter, sort: Sort) -> String {
    // The debug form tells every field apart; who changes it only ends the tokens
    // that are out.
    let digest = Sha256::digest(format!("{filter:?} {sort:?}"));
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn micros(time: OffsetDateTime) -> i64 {
    // Years up to 9999 fit.
    (time.unix_timestamp_nanos() / 1_000) as i64
}

/// A text that is there.
fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
