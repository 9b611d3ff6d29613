//! A handler whose kind of fact is forgotten, so that all fit in one list.

use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use prost::DecodeError;
use proto::Fact;
use sqlx::PgConnection;

use super::Handler;
use crate::cloudevent::Meta;

/// A topic and who handles it.
pub(super) struct Subscription {
    pub(super) topic: &'static str,
    pub(super) handler: Arc<dyn Erased>,
}

impl Subscription {
    pub(super) fn new<F: Fact + 'static, H: Handler<F>>(handler: H) -> Self {
        let handler = Arc::new(Typed::<F, H> { handler, fact: PhantomData });
        Self { topic: F::INFO.topic, handler }
    }
}

/// Why a fact was not applied.
pub(super) enum Refusal {
    /// The payload is not what the topic promises; trying again is no use.
    Undecodable(DecodeError),
    /// The handler failed.
    Failed(anyhow::Error),
}

#[async_trait]
pub(super) trait Erased: Send + Sync {
    async fn handle(
        &self,
        tx: &mut PgConnection,
        payload: &[u8],
        meta: &Meta,
    ) -> Result<(), Refusal>;
}

struct Typed<F, H> {
    handler: H,
    fact: PhantomData<fn(F)>,
}

#[async_trait]
impl<F: Fact + 'static, H: Handler<F>> Erased for Typed<F, H> {
    async fn handle(
        &self,
        tx: &mut PgConnection,
        payload: &[u8],
        meta: &Meta,
    ) -> Result<(), Refusal> {
        let fact = F::decode(payload).map_err(Refusal::Undecodable)?;
        self.handler.handle(tx, fact, meta).await.map_err(Refusal::Failed)
    }
}
