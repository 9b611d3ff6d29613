//! What a page and an order cost every process: the figures behind requests, limits and
//! the rates at which services are scaled.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use e2e::client::{Client, Customer};
use e2e::platform::Platform;
use stack::{Options, SERVICES};

use crate::load::{Outcome, closed_loop};
use crate::table;
use crate::usage::{self, Usage};

/// Who looks at the assortment, and who buys, at once.
const WORKERS: usize = 8;
/// Who buys in turns, so that nobody's cart is emptied while they fill it again.
const CUSTOMERS: usize = 64;
const METRIC: &str = "rpc_server_call_duration_seconds_count";

pub async fn run(lasting: Duration) -> Result<()> {
    let shop = Shop::open().await?;
    let idle = usage::during(&shop.platform.stack, async {
        tokio::time::sleep(lasting).await;
        Ok(())
    })
    .await?;
    table::head("Capacity: the whole platform and its customers on this machine", "", "");
    let pages =
        shop.measure("a page of the assortment", lasting, async || shop.look().await).await?;
    let orders =
        shop.measure("an order, cart included", lasting, async || shop.buy().await).await?;
    print(lasting, &idle, &pages, &orders);
    Ok(())
}

struct Shop {
    platform: Platform,
    visitor: Client,
    customers: Vec<Customer>,
    products: Vec<String>,
    next: AtomicUsize,
}

/// What was used for so many of them.
struct Measured {
    count: f64,
    usage: Usage,
    calls: BTreeMap<String, f64>,
}

impl Shop {
    async fn open() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no checkout")?;
        let mut options = Options::private(root, "capacity")?;
        options.seed = true;
        let platform = Platform::start(options).await;
        let visitor = platform.anonymous();
        let mut customers = Vec::new();
        for _ in 0..CUSTOMERS {
            customers.push(visitor.register().await);
        }
        let mut products = Vec::new();
        for _ in 0..CUSTOMERS {
            products.push(platform.admin.product(1_299, 1_000_000).await);
        }
        Ok(Self { platform, visitor, customers, products, next: AtomicUsize::default() })
    }

    fn turn(&self) -> usize {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// One of the four that a shop asks for most.
    async fn look(&self) -> Result<()> {
        let turn = self.turn();
        let product = &self.products[turn / 4 % self.products.len()];
        let path = match turn % 4 {
            0 => "/v1/products?q=steel&page_size=20".to_owned(),
            1 => "/v1/products?category=kitchen&page_size=20".to_owned(),
            2 => format!("/v1/products/{product}"),
            _ => format!("/v1/products/{product}/stock"),
        };
        self.visitor.get(&path).await.ok();
        Ok(())
    }

    async fn buy(&self) -> Result<()> {
        let turn = self.turn();
        let customer = &self.customers[turn % self.customers.len()];
        customer.put_in_cart(&self.products[turn % self.products.len()], 1).await;
        let order = customer.order("tok_visa").await.ok();
        if order["state"] != "ORDER_STATE_CONFIRMED" {
            bail!("an order that should have been confirmed: {order}");
        }
        Ok(())
    }

    /// Under a steady load, until what it caused has come to rest, mails included.
    async fn measure<F>(&self, what: &str, lasting: Duration, work: F) -> Result<Measured>
    where
        F: AsyncFn() -> Result<()>,
    {
        let before = self.calls().await?;
        let done = AtomicUsize::default();
        let mut outcome = None;
        let usage = usage::during(&self.platform.stack, async {
            let counted = async || {
                work().await?;
                done.fetch_add(1, Ordering::Relaxed);
                Ok(())
            };
            outcome = Some(closed_loop(WORKERS, lasting, counted).await?);
            self.rest().await
        })
        .await?;
        let outcome: Outcome = outcome.context("nothing was measured")?;
        table::line(what, WORKERS, &outcome, None);
        let mut calls = self.calls().await?;
        for (service, calls) in &mut calls {
            *calls -= before.get(service).copied().unwrap_or_default();
        }
        Ok(Measured { count: done.into_inner() as f64, usage, calls })
    }

    /// Waits until no mail has been handed over for a second.
    async fn rest(&self) -> Result<()> {
        let mails =
            || anyhow::Ok(std::fs::read_dir(self.platform.stack.mail_dir().join("new"))?.count());
        let deadline = Instant::now() + Duration::from_secs(120);
        let (mut known, mut since) = (mails()?, Instant::now());
        while since.elapsed() < Duration::from_secs(1) {
            if Instant::now() > deadline {
                bail!("mails are still handed over after two minutes");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            let now = mails()?;
            if now != known {
                (known, since) = (now, Instant::now());
            }
        }
        Ok(())
    }

    /// How many calls each service has answered.
    async fn calls(&self) -> Result<BTreeMap<String, f64>> {
        let mut calls = BTreeMap::new();
        for service in SERVICES {
            let url = format!("{}/metrics", self.platform.stack.service_admin_url(service));
            let text = reqwest::get(&url).await?.error_for_status()?.text().await?;
            let counts = text.lines().filter(|line| line.starts_with(METRIC));
            let values = counts.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
            calls.insert(service.to_owned(), values.sum());
        }
        Ok(calls)
    }
}

fn print(lasting: Duration, idle: &Usage, pages: &Measured, orders: &Measured) {
    println!("\n  Milliseconds of one processor, and memory:");
    println!(
        "  {:<16} {:>9} {:>9} {:>9} {:>11} {:>11} {:>9}",
        "process", "idle ms/s", "per page", "per order", "calls/order", "ms per call", "most MiB"
    );
    for (name, resting) in idle {
        let memory = [pages, orders].map(|measured| used(measured, name).memory);
        let calls = orders.calls.get(name).copied().unwrap_or_default();
        let cpu = milliseconds(used(orders, name).cpu);
        println!(
            "  {name:<16} {:>9.1} {:>9.2} {:>9.2} {:>11.1} {:>11.2} {:>9.0}",
            milliseconds(resting.cpu) / lasting.as_secs_f64(),
            milliseconds(used(pages, name).cpu) / pages.count,
            cpu / orders.count,
            calls / orders.count,
            if calls > 0.0 { cpu / calls } else { 0.0 },
            memory.into_iter().max().unwrap_or_default() as f64 / 1_048_576.0,
        );
    }
}

fn used(measured: &Measured, name: &str) -> usage::Used {
    measured.usage.get(name).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
