//! `stoactl seed`: the first assortment of a shop, products and stock.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use grpc::MeshChannel;
use proto::catalog::v1::catalog_service_client::CatalogServiceClient;
use proto::catalog::v1::{CreateProductRequest, ListProductsRequest, Product};
use proto::inventory::v1::inventory_service_client::InventoryServiceClient;
use proto::inventory::v1::{AdjustStockRequest, GetStockRequest};
use serde::Deserialize;
use tokio::time::Instant;
use types::Money;

use crate::failure::{Failure, failure};
use crate::platform::Found;
use crate::session::{Credentials, Session};

/// Fills an empty catalogue.
#[derive(clap::Args)]
pub struct Seed {
    /// The products and their first stock, as `seeds/catalogue.json` lists them.
    file: PathBuf,
    /// How long to wait for a platform that is still starting, in seconds.
    #[arg(long, default_value_t = 0)]
    wait_seconds: u64,
}

/// A row of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    sku: String,
    name: String,
    description: String,
    category: String,
    /// In minor units of the currency.
    price_minor: i64,
    currency: String,
    /// The first quantity.
    stock: i64,
}

/// Requests in flight.
const AT_ONCE: usize = 8;
/// The most products on a page.
const PAGE: i32 = 100;
/// How often it is tried where something stands in the way that may go away.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

impl Seed {
    /// Goes on where an earlier run was cut short, and from where the platform was away.
    pub async fn run(self, platform: &Found, credentials: &Credentials, json: bool) -> Result<()> {
        let rows = rows(&self.file)?;
        let until = Instant::now() + Duration::from_secs(self.wait_seconds);
        let mut tries = 0;
        let added = loop {
            tries += 1;
            match fill(platform, credentials, &rows).await {
                Err(error) if is_passing(&error) && (tries < TRIES || Instant::now() < until) => {
                    tokio::time::sleep(PAUSE).await;
                }
                done => break done?,
            }
        };
        println!("{}", told(added, json));
        Ok(())
    }
}

fn rows(file: &Path) -> Result<Vec<Row>> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let rows: Vec<Row> = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
    ensure!(!rows.is_empty(), "{} lists no products", file.display());
    Ok(rows)
}

fn told(added: usize, json: bool) -> String {
    match (json, added) {
        (true, _) => serde_json::json!({ "added": added }).to_string(),
        (false, 0) => "the catalogue is filled; nothing was changed".to_owned(),
        (false, _) => format!("{added} products added"),
    }
}

/// Whether it may help to begin again, which does nothing twice: the platform is still
/// starting, or busy, or somebody else fills the catalogue at the same moment.
fn is_passing(error: &anyhow::Error) -> bool {
    use tonic::Code::{AlreadyExists, DeadlineExceeded, ResourceExhausted, Unavailable};
    let passing = [Unavailable, ResourceExhausted, DeadlineExceeded, AlreadyExists];
    error.downcast_ref::<Failure>().is_some_and(|failure| passing.contains(&failure.code()))
}

/// Adds what is missing; answers how many products that were.
async fn fill(platform: &Found, credentials: &Credentials, rows: &[Row]) -> Result<usize> {
    let session = Session::open(platform.clone(), credentials).await?;
    let shop = Shop {
        catalog: CatalogServiceClient::new(session.channel("catalog")?),
        inventory: InventoryServiceClient::new(session.channel("inventory")?),
        session,
    };
    let present = shop.products().await?;
    let Some((last, rest)) = rows.split_last() else { return Ok(0) };
    // The last row is added when all others are there: where it is, with its stock, the
    // catalogue was filled to the end. What the shop's people made of it since is theirs,
    // and so is a catalogue that somebody else has begun.
    let filled = match present.get(&last.sku) {
        Some(product) => shop.had_stock(product).await?,
        None => !present.is_empty() && !rows.iter().any(|row| present.contains_key(&row.sku)),
    };
    if filled {
        return Ok(0);
    }
    let adding = stream::iter(rest).map(|row| shop.add(row, &present));
    let added: Vec<bool> = adding.buffer_unordered(AT_ONCE).try_collect().await?;
    let last = shop.add(last, &present).await?;
    Ok(added.into_iter().chain([last]).filter(|added| *added).count())
}

/// The services that know products and stock, and who asks them.
struct Shop {
    session: Session,
    catalog: CatalogServiceClient<MeshChannel>,
    inventory: InventoryServiceClient<MeshChannel>,
}

impl Shop {
    /// The ids of all products, by SKU.
    async fn products(&self) -> Result<HashMap<String, String>> {
        let (mut all, mut page_token) = (HashMap::new(), String::new());
        loop {
            let request = ListProductsRequest { page_size: PAGE, page_token, ..Default::default() };
            let request = self.session.request(request)?;
            let page = self.catalog.clone().list_products(request).await.map_err(failure)?;
            let page = page.into_inner();
            all.extend(page.products.into_iter().map(|product| (product.sku, product.product_id)));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(all);
            }
        }
    }

    /// Whether there ever was stock of a product, be it all sold.
    async fn had_stock(&self, product: &str) -> Result<bool> {
        let request = GetStockRequest { product_id: product.to_owned() };
        let request = self.session.request(request)?;
        let stock = self.inventory.clone().get_stock(request).await.map_err(failure)?;
        Ok(stock.into_inner().update_time.is_some())
    }

    /// Adds a product or its first stock, where one is missing; answers whether one was.
    async fn add(&self, row: &Row, present: &HashMap<String, String>) -> Result<bool> {
        let product = match present.get(&row.sku) {
            Some(product) if self.had_stock(product).await? => return Ok(false),
            Some(product) => product.clone(),
            None => self.create(row).await?,
        };
        self.stock(row, product).await.with_context(|| format!("stock of {}", row.sku))?;
        Ok(true)
    }

    async fn create(&self, row: &Row) -> Result<String> {
        let named = || format!("product {}", row.sku);
        let product = Some(row.product().with_context(named)?);
        let request = self.session.request(CreateProductRequest { product })?;
        let made = self.catalog.clone().create_product(request).await.map_err(failure);
        Ok(made.with_context(named)?.into_inner().product_id)
    }

    async fn stock(&self, row: &Row, product_id: String) -> Result<()> {
        // However often it is sent, it counts once.
        let key = format!("seed-{product_id}");
        let reason = "initial stock".to_owned();
        let request = AdjustStockRequest { product_id, delta: row.stock, reason };
        let mut request = self.session.request(request)?;
        request.metadata_mut().insert("idempotency-key", key.parse()?);
        self.inventory.clone().adjust_stock(request).await.map_err(failure)?;
        Ok(())
    }
}

impl Row {
    fn product(&self) -> Result<Product> {
        let price = Money::new(self.price_minor, self.currency.parse()?);
        Ok(Product {
            sku: self.sku.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            category: self.category.clone(),
            price: Some(grpc::convert::money(price)),
            ..Default::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn the_first_assortment_can_be_read_and_names_no_product_twice() {
        let rows = rows(&root().join("seeds/catalogue.json")).unwrap();
        let skus: std::collections::HashSet<_> = rows.iter().map(|row| &row.sku).collect();
        assert_eq!((rows.len(), skus.len()), (240, 240));
        assert!(rows.iter().all(|row| row.product().is_ok() && row.stock > 0));
    }

    #[test]
    fn a_price_is_written_as_units_and_nanos() {
        let row = Row {
            sku: "KIT-0001".into(),
            name: "Kettle".into(),
            description: "Boils.".into(),
            category: "kitchen".into(),
            price_minor: 1299,
            currency: "EUR".into(),
            stock: 40,
        };
        let price = row.product().unwrap().price.unwrap();
        let price = (price.currency_code.as_str(), price.units, price.nanos);
        assert_eq!(price, ("EUR", 12, 990_000_000));
        let made_up = Row { currency: "XYZ".into(), ..row };
        assert!(made_up.product().is_err());
    }

    #[test]
    fn a_file_that_says_something_else_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for wrong in ["[]", "{}", r#"[{"sku": "A"}]"#] {
            fs::write(file.path(), wrong).unwrap();
            let error = format!("{:#}", rows(file.path()).unwrap_err());
            assert!(error.contains(&file.path().display().to_string()), "{error}");
        }
    }

    #[test]
    fn what_may_go_away_is_waited_for_and_nothing_else() {
        let failed = |status| anyhow::Error::from(failure(status)).context("product A");
        assert!(is_passing(&failed(tonic::Status::unavailable("still starting"))));
        assert!(is_passing(&failed(tonic::Status::already_exists("somebody was faster"))));
        assert!(!is_passing(&failed(tonic::Status::permission_denied("not yours"))));
        assert!(!is_passing(&anyhow::anyhow!("no such file")));
    }

    #[test]
    fn what_was_done_is_told() {
        assert_eq!(told(240, false), "240 products added");
        assert_eq!(told(0, false), "the catalogue is filled; nothing was changed");
        assert_eq!(told(0, true), r#"{"added":0}"#);
    }
}
