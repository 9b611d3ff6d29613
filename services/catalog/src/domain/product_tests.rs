#![allow(clippy::unwrap_used)]

use super::*;

fn draft() -> Draft {
    Draft {
        sku: "KIT-0042".to_owned(),
        name: "Frying pan".to_owned(),
        description: "Two\nlines".to_owned(),
        category: "kitchen".to_owned(),
        price: Some(Money::new(1_299, Currency::Eur)),
        image_url: String::new(),
    }
}

fn fields(wrong: Vec<Violation>) -> Vec<&'static str> {
    wrong.into_iter().map(|v| v.field).collect()
}

#[test]
fn a_whole_draft_becomes_details() {
    let details = draft().check(Currency::Eur).unwrap();
    assert_eq!((details.sku.as_str(), details.price.minor()), ("KIT-0042", 1_299));
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let empty = Draft {
        sku: String::new(),
        name: " ".to_owned(),
        category: String::new(),
        price: None,
        ..draft()
    };
    let wrong = empty.check(Currency::Eur).unwrap_err();
    assert_eq!(fields(wrong), ["sku", "name", "category", "price"]);
}

#[test]
fn prices_have_a_lowest_a_highest_and_one_currency() {
    let priced = |minor, currency| {
        let price = Some(Money::new(minor, currency));
        Draft { price, ..draft() }.check(Currency::Eur).map(drop).map_err(fields)
    };
    assert_eq!(priced(1, Currency::Eur), Ok(()));
    assert_eq!(priced(100_000_000, Currency::Eur), Ok(()));
    assert_eq!(priced(0, Currency::Eur), Err(vec!["price"]));
    assert_eq!(priced(-1, Currency::Eur), Err(vec!["price"]));
    assert_eq!(priced(100_000_001, Currency::Eur), Err(vec!["price"]));
    assert_eq!(priced(1_299, Currency::Usd), Err(vec!["price.currency_code"]));
}

#[test]
fn text_is_free_of_what_a_database_cannot_hold() {
    let name = "Pan\0".to_owned();
    let description = "a\u{7}".to_owned();
    let wrong = Draft { name, description, ..draft() }.check(Currency::Eur).unwrap_err();
    assert_eq!(fields(wrong), ["name", "description"]);
}

#[test]
fn a_patch_changes_what_it_names_and_nothing_else() {
    let old = draft().check(Currency::Eur).unwrap();
    let patch = Patch { description: Some(String::new()), ..Patch::default() };
    assert_eq!(patch.check(Currency::Eur), Ok(()));
    let new = patch.apply(old.clone());
    assert_eq!(new, Details { description: String::new(), ..old });
}

#[test]
fn a_patch_cannot_clear_what_is_required() {
    let patch = Patch { sku: Some(String::new()), ..Patch::default() };
    assert_eq!(fields(patch.check(Currency::Eur).unwrap_err()), ["sku"]);
}
