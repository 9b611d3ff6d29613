//! Full-text search.

use proto::catalog::v1 as pb;

use crate::world::{World, pan};

/// The names of what a query finds, by name.
async fn find(world: &World, q: &str) -> Vec<String> {
    let request = pb::ListProductsRequest { q: q.to_owned(), ..Default::default() };
    let answer = world.list(request).await.unwrap_or_else(|e| panic!("{q:?}: {e}"));
    answer.products.into_iter().map(|p| p.name).collect()
}

async fn shop() -> World {
    let world = World::start().await;
    let products = [
        ("Cotton pans holder", "Organic, machine washable"),
        ("Frying pan 3.5mm", "Cast iron with a USB-C heater"),
        ("Éclair mould", "For the crème brûlée, too. 'Drop' proof"),
    ];
    for (n, (name, description)) in products.into_iter().enumerate() {
        let (name, description) = (name.to_owned(), description.to_owned());
        world.create(pb::Product { sku: format!("S-{n}"), name, description, ..pan() }).await;
    }
    world
}

const HOLDER: &str = "Cotton pans holder";
const PAN: &str = "Frying pan 3.5mm";
const MOULD: &str = "Éclair mould";

#[tokio::test]
async fn every_word_must_match_in_name_or_description() {
    let world = shop().await;
    assert_eq!(find(&world, "frying iron").await, [PAN]);
    assert_eq!(find(&world, "  IRON,frying!  ").await, [PAN]);
    assert_eq!(find(&world, "frying cotton").await, [""; 0]);
    assert_eq!(find(&world, "crème éclair").await, [MOULD]);
    assert_eq!(find(&world, "ÉCLAIR").await, [MOULD]);
    assert_eq!(find(&world, "3.5mm usb-c").await, [PAN]);
    assert_eq!(find(&world, "the crème").await, [MOULD]);
}

#[tokio::test]
async fn words_match_by_their_beginning_and_by_their_stem() {
    let world = shop().await;
    assert_eq!(find(&world, "pan").await, [HOLDER, PAN]);
    assert_eq!(find(&world, "pans").await, [HOLDER, PAN]);
    assert_eq!(find(&world, "organi").await, [HOLDER]);
    assert_eq!(find(&world, "wash").await, [HOLDER]);
    assert_eq!(find(&world, "rying").await, [""; 0]);
}

#[tokio::test]
async fn a_blank_query_finds_everything() {
    let world = shop().await;
    for q in ["", " ", "\t\n"] {
        assert_eq!(find(&world, q).await.len(), 3, "{q:?}");
    }
}

#[tokio::test]
async fn no_query_is_an_error_whatever_it_holds() {
    let world = shop().await;
    assert_eq!(find(&world, "'; drop table products; --").await, [""; 0]);
    assert_eq!(find(&world, "'drop'").await, [MOULD]);
    assert_eq!(find(&world, "cotto:*&|!").await, [HOLDER]);
    let nothing = [
        "\"",
        "'",
        "\\",
        ":*",
        "a:*&|!",
        "!a",
        "a & ",
        "| |",
        "()",
        "((",
        "<->",
        "a <-> b",
        "🍳",
        "%",
        "_",
        "$1",
        "{}",
        "--",
        "/* */",
        "\u{202e}",
        "ﷺ",
        "१२३",
        "not or and",
    ];
    for q in nothing {
        find(&world, q).await;
    }
    find(&world, &"🍳".repeat(200)).await;
    find(&world, &"é".repeat(200)).await;
    find(&world, &"a ".repeat(100)).await;
    assert_eq!(find(&world, "pan").await.len(), 2);
}

#[tokio::test]
async fn what_is_changed_is_found_by_its_new_words_only() {
    let world = World::start().await;
    let id = world.create(pan()).await.product_id;
    let body = pb::Product { name: "Skillet".to_owned(), ..Default::default() };
    world.try_update(&id, body, None).await.unwrap();
    assert_eq!(find(&world, "skillet").await, ["Skillet"]);
    assert_eq!(find(&world, "frying").await, [""; 0]);
}

#[tokio::test]
async fn words_that_look_like_numbers_are_found_as_they_are_written() {
    let world = World::start().await;
    for name in ["Pump 8e296a067a37", "Pump 1e5", "Pump 0x1f-2e3b"] {
        world.create(pb::Product { sku: name.to_owned(), name: name.to_owned(), ..pan() }).await;
        assert_eq!(find(&world, name).await, [name]);
    }
    assert_eq!(find(&world, "8e296a").await, ["Pump 8e296a067a37"]);
}

#[tokio::test]
async fn a_description_may_be_one_very_long_word() {
    let world = World::start().await;
    let description = "ß".repeat(4_000);
    world.create(pb::Product { description, ..pan() }).await;
    assert_eq!(find(&world, "ßßß").await.len(), 1);
}
