//! A first assortment: filled in once, taken up where it was cut short, and then left to
//! the shop's people.

use std::path::PathBuf;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::platform::{Platform, with_platform};
use crate::stoactl::told;

/// Products that nobody else has, as `seeds/catalogue.json` lists them.
struct Assortment {
    file: PathBuf,
    rows: Vec<Value>,
}

impl Assortment {
    fn new(platform: &Platform) -> Self {
        let of = Uuid::now_v7().simple().to_string();
        let row = |number: i64| {
            json!({
                "sku": format!("SEED-{of}-{number}"),
                "name": format!("Trivet {of}"),
                "description": "Holds a hot pot.",
                "category": "kitchen",
                "price_minor": 1_000 + number,
                "currency": "EUR",
                "stock": 10 * number,
            })
        };
        let rows: Vec<Value> = (1..=3).map(row).collect();
        let file = platform.stack.options().state.join(format!("{of}.json"));
        std::fs::write(&file, json!(rows).to_string()).unwrap();
        Self { file, rows }
    }

    /// Runs `stoactl seed`; answers how many it says were added.
    async fn seed(&self, platform: &Platform) -> Value {
        let file = self.file.to_str().unwrap();
        let answer: Value =
            serde_json::from_str(&told(platform, &["seed", file, "--json"]).await).unwrap();
        answer["added"].clone()
    }

    /// The product of a row, with its stock.
    async fn product(&self, platform: &Platform, row: usize) -> Option<(String, String)> {
        let sku = self.rows[row]["sku"].as_str().unwrap();
        let name = self.rows[row]["name"].as_str().unwrap().replace(' ', "%20");
        let shop = platform.anonymous();
        let found = shop.get(&format!("/v1/products?q={name}")).await.ok();
        let all = found["products"].as_array().unwrap();
        let product = all.iter().find(|product| product["sku"] == sku)?;
        let id = product["product_id"].as_str().unwrap().to_owned();
        let stock = shop.get(&format!("/v1/products/{id}/stock")).await.ok();
        Some((id, stock["available"].as_str().unwrap().to_owned()))
    }
}

#[test]
fn seeding_goes_on_where_it_was_cut_short_and_then_changes_nothing() {
    with_platform(async |platform| {
        let assortment = Assortment::new(&platform);
        let admin = &platform.admin.client;
        // So that it is not empty.
        platform.admin.product(100, 1).await;
        assert_eq!(assortment.seed(&platform).await, 0, "the catalogue is somebody else's");

        // As a run leaves it that ends between a product and its stock.
        let row = &assortment.rows[0];
        let product = json!({
            "sku": row["sku"],
            "name": row["name"],
            "category": "kitchen",
            "price": { "currency_code": "EUR", "units": "10" },
        });
        admin.post("/v1/products", product).await.ok();
        assert_eq!(assortment.seed(&platform).await, 3);
        let mut ids = Vec::new();
        for (row, pieces) in ["10", "20", "30"].into_iter().enumerate() {
            let (id, stock) = assortment.product(&platform, row).await.expect("it was added");
            assert_eq!(stock, pieces);
            ids.push(id);
        }

        // What the shop's people make of it is theirs.
        let sold_out = json!({ "delta": "-30", "reason": "sold" });
        let last = format!("/v1/products/{}/stock:adjust", ids[2]);
        admin.post_once(&last, sold_out).await.ok();
        admin.delete(&format!("/v1/products/{}", ids[1])).await.ok();
        assert_eq!(assortment.seed(&platform).await, 0);
        let pieces = |found: Option<(String, String)>| found.map(|(_, pieces)| pieces);
        assert_eq!(pieces(assortment.product(&platform, 0).await).as_deref(), Some("10"));
        assert_eq!(pieces(assortment.product(&platform, 1).await), None);
        assert_eq!(pieces(assortment.product(&platform, 2).await).as_deref(), Some("0"));
    });
}
