//! Messages that are published.

include!("gen/facts.rs");

/// A message that is published to the exchange `stoa.events`.
pub trait Fact: prost::Message + Default {
    /// What the contract says about it.
    const INFO: FactInfo;

    /// The aggregate it is about; facts with the same key keep their order.
    fn key(&self) -> &str;
}

/// What the contract says about a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactInfo {
    /// Routing key, `<domain>.v1.<fact>`.
    pub topic: &'static str,
    /// Full name of the message.
    pub schema: &'static str,
    /// Workloads that consume it, each from a queue of its own.
    pub consumers: &'static [&'static str],
}
