//! Publishing with confirms.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Channel, Confirmation, PublisherConfirm};
use tokio::time::{Instant, timeout_at};

/// How long the broker may take to confirm what was published together.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);

/// What is to be published.
pub(crate) struct Message<'a> {
    pub(crate) exchange: &'a str,
    pub(crate) routing_key: &'a str,
    /// Some queue must take it.
    pub(crate) mandatory: bool,
    /// Must hold the message id, by which a returned message is recognised.
    pub(crate) properties: BasicProperties,
    pub(crate) payload: &'a [u8],
}

/// A channel in confirm mode.
pub(crate) struct Publisher {
    channel: Channel,
}

impl Publisher {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { channel }
    }

    /// Publishes one message; `Ok` means that the broker has it safe.
    pub(crate) async fn publish(&self, message: Message<'_>) -> Result<()> {
        self.publish_all(vec![message]).await.pop().context("no answer")?
    }

    /// Publishes all, then waits for all confirms. One answer for each message, in
    /// the order given.
    pub(crate) async fn publish_all(&self, messages: Vec<Message<'_>>) -> Vec<Result<()>> {
        let deadline = Instant::now() + CONFIRM_TIMEOUT;
        let mut pending = Vec::with_capacity(messages.len());
        for message in messages {
            let id = message.properties.message_id().clone();
            let sent = timeout_at(deadline, self.send(message)).await;
            pending.push((id, sent.context("the broker does not take it").and_then(|r| r)));
        }
        let mut returned = HashSet::new();
        let mut answers = Vec::with_capacity(pending.len());
        for (id, sent) in pending {
            answers.push((id, settle(sent, deadline, &mut returned).await));
        }
        // The client may hand a returned message to the confirm of another one, so
        // nothing counts as taken before all have settled.
        answers.into_iter().map(|(id, a)| a.and_then(|()| unreturned(&id, &returned))).collect()
    }

    async fn send(&self, message: Message<'_>) -> Result<PublisherConfirm> {
        let options = BasicPublishOptions { mandatory: message.mandatory, immediate: false };
        let confirm = self.channel.basic_publish(
            message.exchange.into(),
            message.routing_key.into(),
            options,
            message.payload,
            message.properties,
        );
        Ok(confirm.await?)
    }
}

type MessageId = Option<lapin::types::ShortString>;

async fn settle(
    sent: Result<PublisherConfirm>,
    deadline: Instant,
    returned: &mut HashSet<MessageId>,
) -> Result<()> {
    let confirmation =
        timeout_at(deadline, sent?).await.context("the broker does not confirm")??;
    let taken = match &confirmation {
        Confirmation::Ack(_) => Ok(()),
        Confirmation::Nack(_) => Err(anyhow!("the broker refused it")),
        Confirmation::NotRequested => Err(anyhow!("the channel does not confirm")),
    };
    returned
        .extend(confirmation.take_message().map(|m| m.delivery.properties.message_id().clone()));
    taken
}

fn unreturned(id: &MessageId, returned: &HashSet<MessageId>) -> Result<()> {
    ensure!(!returned.contains(id), "no queue takes it");
    Ok(())
}
