//! Visitors beside the customers: they sign up, look around and read what is theirs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use stack::Stack;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::shop::client::{Edge, new_email};
use crate::shop::{Heard, Notes, Product, Shop};

const VISITORS: usize = 2;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// What everybody may look at who has signed in.
const PAGES: [&str; 5] = [
    "/v1/users/me",
    "/v1/products?page_size=10",
    "/v1/categories",
    "/v1/cart",
    "/v1/orders?page_size=10",
];

/// Visitors in the shop.
pub struct Visitors {
    tasks: JoinSet<()>,
    leaving: CancellationToken,
}

impl Visitors {
    pub fn enter(stack: &Stack, shop: &Shop) -> Result<Self> {
        let (leaving, mut tasks) = (CancellationToken::new(), JoinSet::new());
        for _ in 0..VISITORS {
            let (edge, notes) = (Edge::new(&stack.edge_url())?, Arc::clone(&shop.notes));
            tasks.spawn(visit(edge, notes, shop.products.clone(), leaving.clone()));
        }
        Ok(Self { tasks, leaving })
    }

    pub async fn leave(mut self) -> Result<()> {
        self.leaving.cancel();
        while let Some(left) = self.tasks.join_next().await {
            left.context("a visitor panicked")?;
        }
        Ok(())
    }
}

async fn visit(edge: Edge, notes: Arc<Notes>, products: Vec<Product>, leaving: CancellationToken) {
    while !leaving.is_cancelled() {
        let email = new_email();
        let answer = edge.sign_up(&email).await;
        notes.heard(Heard::from(&answer));
        let Ok(account) = answer.and_then(|answer| answer.account(&email)) else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        for product in &products {
            let stock = format!("/v1/products/{}", product.id);
            for page in PAGES.into_iter().chain([stock.as_str()]) {
                if leaving.is_cancelled() {
                    return;
                }
                let answer = edge.get(&account, page).await;
                notes.heard(Heard::from(&answer));
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
