//! Dead letters: how many there are, a look at them, and back to the queue they died
//! on. Any consuming service offers this to its operators by adding it to its API.

use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, anyhow};
use audit::Action;
use lapin::Channel;
use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions};
use proto::fact::FACTS;
use sqlx::PgPool;
use tokio::time::timeout;
use uuid::Uuid;

use crate::config::BrokerConfig;
use crate::connection::Broker;
use crate::consumer::dead_letter::{Letter, original_headers, with_id};
use crate::consumer::depths::depth;
use crate::publisher::{Message, Publisher};
use crate::topology;

/// Longer than the broker should take for anything of this but moving letters.
const PATIENCE: Duration = Duration::from_secs(8);

/// The dead letters of a workload.
pub struct DeadLetters {
    workload: &'static str,
    pool: PgPool,
    config: BrokerConfig,
}

/// The dead letters of one topic.
#[derive(Debug)]
pub struct DeadLetterQueue {
    pub topic: &'static str,
    pub count: u32,
    /// The oldest ones, without their content.
    pub letters: Vec<Letter>,
}

/// Who puts dead letters back, and why.
#[derive(Debug, Clone)]
pub struct Redrive {
    /// The user of the verified token.
    pub actor: Uuid,
    /// In the operator's words, 1 to 500 characters.
    pub why: String,
    /// When to stop and leave the rest.
    pub until: Instant,
}

/// What became of a redrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redriven {
    pub moved: u32,
    pub left: u32,
}

/// Why nothing was done, or not all.
#[derive(Debug, thiserror::Error)]
pub enum DeadLettersError {
    #[error("the contract does not name {workload} as a consumer of {topic}")]
    UnknownTopic { workload: &'static str, topic: String },
    #[error("the broker does not answer: {0:#}")]
    Broker(Error),
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
}

impl DeadLetters {
    /// Operators' actions are written down in `pool`, which has the table of `audit`.
    pub fn new(workload: &'static str, pool: PgPool, config: BrokerConfig) -> Self {
        Self { workload, pool, config }
    }

    /// Counts the dead letters of a topic, or of all, and looks at the oldest `peek`
    /// of each. While they are looked at, nobody else gets them.
    pub async fn list(
        &self,
        topic: Option<&str>,
        peek: usize,
    ) -> Result<Vec<DeadLetterQueue>, DeadLettersError> {
        let topics = match topic {
            Some(topic) => vec![self.known(topic)?],
            None => self.topics().collect(),
        };
        let looking = async {
            let broker = self.connect().await?;
            let mut queues = Vec::new();
            for topic in topics {
                // What was taken and not answered goes back with its channel.
                let channel = broker.channel().await?;
                queues.push(self.look(&channel, topic, peek).await?);
                channel.close(200, "OK".into()).await?;
            }
            broker.close().await;
            anyhow::Ok(queues)
        };
        in_time(looking).await
    }

    async fn look(
        &self,
        channel: &Channel,
        topic: &'static str,
        peek: usize,
    ) -> Result<DeadLetterQueue> {
        let dead = self.queue(topic);
        let count = depth(channel, &dead).await?;
        let mut letters = Vec::new();
        while letters.len() < peek
            && let Some(message) = get(channel, &dead).await?
        {
            letters.push(Letter::read(&message.delivery.properties));
        }
        Ok(DeadLetterQueue { topic, count, letters })
    }

    /// Puts the dead letters of a topic back where they came from, after writing down
    /// who does it and why.
    ///
    /// Those that die again meanwhile stay where they are. When it fails half-way, what
    /// was not moved is still a dead letter; one letter may then be in both places,
    /// which the inbox of the consumer makes harmless.
    pub async fn redrive(
        &self,
        topic: &str,
        redrive: &Redrive,
    ) -> Result<Redriven, DeadLettersError> {
        let dead = self.queue(self.known(topic)?);
        let prepared = async {
            let broker = self.connect().await?;
            let (channel, publisher) = (broker.channel().await?, broker.publisher().await?);
            let count = depth(&channel, &dead).await?;
            anyhow::Ok((broker, channel, publisher, count))
        };
        let (broker, channel, publisher, count) = in_time(prepared).await?;
        self.write_down(&dead, redrive, count).await?;
        let moving = async {
            let mut moved = 0;
            while moved < count
                && Instant::now() < redrive.until
                && let Some(letter) = get(&channel, &dead).await?
            {
                put_back(&publisher, &topology::queue(self.workload, topic), letter).await?;
                moved += 1;
            }
            anyhow::Ok(Redriven { moved, left: count - moved })
        };
        let redriven = moving.await.map_err(DeadLettersError::Broker)?;
        broker.close().await;
        Ok(redriven)
    }

    async fn write_down(
        &self,
        dead: &str,
        redrive: &Redrive,
        count: u32,
    ) -> Result<(), sqlx::Error> {
        let Redrive { actor, why, until: _ } = redrive;
        let outcome = format!("{count} to be put back");
        let action =
            Action { actor: *actor, action: "facts.redrive", target: dead, why, outcome: &outcome };
        let mut conn = self.pool.acquire().await?;
        audit::record(&mut conn, &action).await?;
        Ok(())
    }

    fn topics(&self) -> impl Iterator<Item = &'static str> {
        let consumed = FACTS.iter().filter(|fact| fact.consumers.contains(&self.workload));
        consumed.map(|fact| fact.topic)
    }

    fn known(&self, topic: &str) -> Result<&'static str, DeadLettersError> {
        let (workload, unknown) = (self.workload, topic.to_owned());
        let found = self.topics().find(|known| *known == topic);
        found.ok_or(DeadLettersError::UnknownTopic { workload, topic: unknown })
    }

    fn queue(&self, topic: &str) -> String {
        topology::dead_letter_queue(&topology::queue(self.workload, topic))
    }

    async fn connect(&self) -> Result<Broker> {
        Broker::connect(&self.config.target()?, &format!("{} dead letters", self.workload)).await
    }
}

async fn in_time<T>(asking: impl Future<Output = Result<T>>) -> Result<T, DeadLettersError> {
    let answer = timeout(PATIENCE, asking).await.unwrap_or_else(|_| Err(anyhow!("no answer")));
    answer.map_err(DeadLettersError::Broker)
}

async fn get(channel: &Channel, queue: &str) -> Result<Option<BasicGetMessage>> {
    Ok(channel.basic_get(queue.into(), BasicGetOptions::default()).await?)
}

/// It is taken from the dead letters when the broker has it safe in the queue.
async fn put_back(publisher: &Publisher, queue: &str, letter: BasicGetMessage) -> Result<()> {
    let delivery = letter.delivery;
    let headers = original_headers(&delivery.properties);
    let message = Message {
        // The default exchange: to this queue and to no other consumer.
        exchange: "",
        routing_key: queue,
        mandatory: true,
        properties: with_id(delivery.properties.clone()).with_headers(headers),
        payload: &delivery.data,
    };
    publisher.publish(message).await.context("a dead letter is not moved")?;
    delivery.acker.ack(BasicAckOptions::default()).await?;
    Ok(())
}
