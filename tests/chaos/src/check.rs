//! Holds what every store says against what customers were told.

mod facts;
mod money;
mod orders;
mod settling;
mod stock;

use std::path::PathBuf;

use anyhow::Result;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use stack::Stack;

use self::orders::Order;
pub use self::settling::{Settled, settle};
use crate::shop::{Product, Purchase};

/// The databases, read directly.
pub struct Stores {
    pub identity: PgPool,
    pub catalog: PgPool,
    pub inventory: PgPool,
    pub orders: PgPool,
    pub payments: PgPool,
    pub notifications: PgPool,
    pub sandbox: PgPool,
    pub amqp_url: String,
    /// PEM of who vouches for the stores, where they are spoken to over TLS.
    pub authority: Option<PathBuf>,
}

impl Stores {
    pub fn open(stack: &Stack) -> Result<Self> {
        let pool = |service| -> Result<PgPool> {
            let url = stack.postgres_url(service)?;
            Ok(PgPoolOptions::new().max_connections(2).connect_lazy(&url)?)
        };
        Ok(Self {
            identity: pool("identity")?,
            catalog: pool("catalog")?,
            inventory: pool("inventory")?,
            orders: pool("orders")?,
            payments: pool("payments")?,
            notifications: pool("notifications")?,
            sandbox: pool("sandbox")?,
            amqp_url: stack.amqp_url()?,
            authority: Some(stack.stores_authority()).filter(|_| !stack.options().plain_stores),
        })
    }

    /// Every database, by the service that it is of.
    pub fn all(&self) -> [(&'static str, &PgPool); 7] {
        [
            ("identity", &self.identity),
            ("catalog", &self.catalog),
            ("inventory", &self.inventory),
            ("orders", &self.orders),
            ("payments", &self.payments),
            ("notifications", &self.notifications),
            ("sandbox", &self.sandbox),
        ]
    }

    /// The databases with an outbox, by the domain of their facts.
    fn outboxes(&self) -> [(&'static str, &PgPool); 5] {
        [
            ("identity", &self.identity),
            ("catalog", &self.catalog),
            ("inventory", &self.inventory),
            ("orders", &self.orders),
            ("payments", &self.payments),
        ]
    }
}

/// What was found.
pub struct Findings {
    /// Orders by their state.
    pub orders: Vec<(String, usize)>,
    /// What the provider has taken and kept, in minor units.
    pub taken: i64,
    pub facts: usize,
    /// Mails beyond the first about the same thing: a hand-over is repeated when its
    /// outcome was lost, which SMTP cannot tell apart (RFC 5321, 4.2.5).
    pub doubled_mails: usize,
    /// Each a sentence; none is how it should be.
    pub violations: Vec<String>,
}

/// Compares everything with everything.
pub async fn check(
    stack: &Stack,
    stores: &Stores,
    products: &[Product],
    purchases: &[Purchase],
) -> Result<Findings> {
    let orders = orders::read(stores).await?;
    let mut violations = orders::violations(stores, &orders, purchases).await?;
    let (taken, wrong) = money::violations(stores, &orders).await?;
    violations.extend(wrong);
    violations.extend(stock::violations(stores, &orders, products).await?);
    let facts = facts::read(stores).await?;
    violations.extend(facts::violations(stores, &orders, &facts).await?);
    let doubled_mails = facts::doubled_mails(&stack.mail_dir())?;
    Ok(Findings { orders: by_state(&orders), taken, facts: facts.len(), doubled_mails, violations })
}

fn by_state(orders: &[Order]) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for order in orders {
        *counts.entry(order.state.clone()).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}
