//! Lists: filters, orders and pages.

use std::collections::HashSet;

use proto::catalog::v1 as pb;
use proto::catalog::v1::ProductOrder;
use testkit::reason;
use tonic::Code;

use crate::world::{World, eur, pan};

const ORDERS: [ProductOrder; 5] = [
    ProductOrder::Unspecified,
    ProductOrder::Name,
    ProductOrder::PriceAsc,
    ProductOrder::PriceDesc,
    ProductOrder::Newest,
];

/// Products of which several share a name, a price or a category.
async fn fill(world: &World) -> Vec<pb::Product> {
    let mut products = Vec::new();
    for n in 0..23_i64 {
        let category = if n % 3 == 0 { "garden" } else { "kitchen" };
        products.push(
            world
                .create(pb::Product {
                    sku: format!("S-{n}"),
                    name: ["Äpfelschäler", "apron", "Bowl", "Zester"][n as usize % 4].to_owned(),
                    category: category.to_owned(),
                    price: eur(100 + n / 5 * 50),
                    ..pan()
                })
                .await,
        );
    }
    products
}

/// Walks through all pages.
async fn walk(world: &World, first: pb::ListProductsRequest) -> Vec<pb::Product> {
    let (mut all, mut request) = (Vec::new(), first);
    loop {
        let page = world.list(request.clone()).await.unwrap();
        assert!(page.products.len() <= request.page_size as usize);
        all.extend(page.products);
        if page.next_page_token.is_empty() {
            return all;
        }
        assert!(page.next_page_token.len() <= 512);
        request.page_token = page.next_page_token;
    }
}

fn cents(product: &pb::Product) -> i64 {
    let price = product.price.as_ref().unwrap();
    price.units * 100 + i64::from(price.nanos / 10_000_000)
}

fn assert_sorted(order: ProductOrder, products: &[pb::Product]) {
    let at = |p: &pb::Product| p.create_time.map(|t| (t.seconds, t.nanos));
    // As people sort: by letter, then by accent and case.
    let names = ["Äpfelschäler", "apron", "Bowl", "Zester"];
    let rank = |p: &pb::Product| names.iter().position(|n| *n == p.name);
    let sorted = match order {
        ProductOrder::Unspecified | ProductOrder::Name => products.is_sorted_by_key(rank),
        ProductOrder::PriceAsc => products.is_sorted_by_key(cents),
        ProductOrder::PriceDesc => products.is_sorted_by(|a, b| cents(a) >= cents(b)),
        ProductOrder::Newest => products.is_sorted_by(|a, b| at(a) >= at(b)),
    };
    assert!(sorted, "{order:?}");
}

#[tokio::test]
async fn pages_visit_every_product_once_in_each_order() {
    let world = World::start().await;
    let products = fill(&world).await;
    let filters = [
        pb::ListProductsRequest::default(),
        pb::ListProductsRequest { category: "kitchen".to_owned(), ..Default::default() },
        pb::ListProductsRequest {
            min_price_minor: 150,
            max_price_minor: 250,
            ..Default::default()
        },
        pb::ListProductsRequest { q: "CAST iron".to_owned(), ..Default::default() },
    ];
    for filter in filters {
        let fits = |p: &&pb::Product| {
            (filter.category.is_empty() || p.category == filter.category)
                && cents(p) >= filter.min_price_minor
                && (filter.max_price_minor == 0 || cents(p) <= filter.max_price_minor)
        };
        let expected: HashSet<_> =
            products.iter().filter(fits).map(|p| p.product_id.clone()).collect();
        for order in ORDERS {
            for page_size in [1, 4, 23] {
                let first =
                    pb::ListProductsRequest { order_by: order.into(), page_size, ..filter.clone() };
                let seen = walk(&world, first).await;
                assert_sorted(order, &seen);
                let ids: HashSet<_> = seen.iter().map(|p| p.product_id.clone()).collect();
                assert_eq!(seen.len(), expected.len(), "{order:?} {page_size}");
                assert_eq!(ids, expected);
            }
        }
    }
}

#[tokio::test]
async fn a_page_holds_twenty_unless_somebody_says_otherwise() {
    let world = World::start().await;
    fill(&world).await;
    let page = world.list(pb::ListProductsRequest::default()).await.unwrap();
    assert_eq!(page.products.len(), 20);
    let whole = pb::ListProductsRequest { page_size: 100, ..Default::default() };
    let page = world.list(whole).await.unwrap();
    assert_eq!((page.products.len(), page.next_page_token.as_str()), (23, ""));
    let too_many = pb::ListProductsRequest { page_size: 101, ..Default::default() };
    assert_eq!(world.list(too_many).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn products_that_come_and_go_meanwhile_do_not_repeat_others() {
    let world = World::start().await;
    let products = fill(&world).await;
    let order_by = ProductOrder::PriceAsc.into();
    let first = pb::ListProductsRequest { page_size: 10, order_by, ..Default::default() };
    let page = world.list(first.clone()).await.unwrap();
    world.delete(&page.products[9].product_id).await.unwrap();
    world.create(pb::Product { sku: "NEW".to_owned(), price: eur(1), ..pan() }).await;
    let rest = pb::ListProductsRequest { page_token: page.next_page_token, ..first };
    let rest = walk(&world, rest).await;
    let seen: HashSet<_> = page.products.iter().chain(&rest).map(|p| &p.product_id).collect();
    assert_eq!(page.products.len() + rest.len(), products.len());
    assert_eq!(seen.len(), products.len());
}

#[tokio::test]
async fn a_token_is_good_only_for_the_list_it_was_given_out_for() {
    let world = World::start().await;
    fill(&world).await;
    let first = pb::ListProductsRequest { page_size: 2, ..Default::default() };
    let page_token = world.list(first.clone()).await.unwrap().next_page_token;
    let next = pb::ListProductsRequest { page_token, ..first };
    // The size of a page may change on the way, and the default order has a name.
    let order_by = ProductOrder::Name.into();
    let same = pb::ListProductsRequest { page_size: 5, order_by, ..next.clone() };
    assert_eq!(world.list(same).await.unwrap().products.len(), 5);

    let order_by = ProductOrder::Newest.into();
    let foreign = [
        pb::ListProductsRequest { order_by, ..next.clone() },
        pb::ListProductsRequest { q: "pan".to_owned(), ..next.clone() },
        pb::ListProductsRequest { category: "kitchen".to_owned(), ..next.clone() },
        pb::ListProductsRequest { min_price_minor: 1, ..next.clone() },
        pb::ListProductsRequest { max_price_minor: 1, ..next.clone() },
        pb::ListProductsRequest { page_token: "?".to_owned(), ..next.clone() },
        pb::ListProductsRequest { page_token: "e30".to_owned(), ..next.clone() },
        pb::ListProductsRequest { page_token: next.page_token.to_lowercase(), ..next },
    ];
    for request in foreign {
        let refused = world.list(request.clone()).await.unwrap_err();
        let told = (refused.code(), reason(&refused));
        assert_eq!(told, (Code::InvalidArgument, "PAGE_TOKEN_INVALID".to_owned()), "{request:?}");
    }
}

#[tokio::test]
async fn the_longest_names_still_make_tokens_that_the_contract_takes() {
    let world = World::start().await;
    for n in 0..4 {
        let name = "🦀\"".repeat(100);
        world.create(pb::Product { sku: format!("S-{n}"), name, ..pan() }).await;
    }
    let first = pb::ListProductsRequest { page_size: 1, ..Default::default() };
    assert_eq!(walk(&world, first).await.len(), 4);
}

#[tokio::test]
async fn an_unknown_category_or_an_impossible_price_lists_nothing() {
    let world = World::start().await;
    world.create(pan()).await;
    let filters = [
        pb::ListProductsRequest { category: "cars".to_owned(), ..Default::default() },
        pb::ListProductsRequest { min_price_minor: i64::MAX, ..Default::default() },
        pb::ListProductsRequest { min_price_minor: 9, max_price_minor: 8, ..Default::default() },
    ];
    for filter in filters {
        assert_eq!(world.list(filter).await.unwrap().products, []);
    }
    let negative = pb::ListProductsRequest { min_price_minor: -1, ..Default::default() };
    assert_eq!(world.list(negative).await.unwrap_err().code(), Code::InvalidArgument);
    let unknown = pb::ListProductsRequest { order_by: 99, ..Default::default() };
    assert_eq!(world.list(unknown).await.unwrap_err().code(), Code::InvalidArgument);
}
