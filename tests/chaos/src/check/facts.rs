//! Every fact was told once and had its effect once.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::{Context, Result};
use events::{dead_letter_queue, queue};
use lapin::DefaultConnectionBuilder;
use lapin::options::QueueDeclareOptions;
use lapin::tcp::OwnedTLSConfig;
use lapin::types::FieldTable;
use proto::fact::FACTS;
use sqlx::PgPool;
use uuid::Uuid;

use super::Stores;
use super::orders::Order;

/// A fact that was decided.
#[derive(sqlx::FromRow)]
pub struct Fact {
    pub id: Uuid,
    pub topic: String,
    pub key: String,
    pub sent: bool,
}

pub async fn read(stores: &Stores) -> Result<Vec<Fact>> {
    let mut facts = Vec::new();
    for (_, pool) in stores.outboxes() {
        let found: Vec<Fact> =
            sqlx::query_as("select id, topic, key, sent_at is not null as sent from outbox")
                .fetch_all(pool)
                .await?;
        facts.extend(found);
    }
    Ok(facts)
}

pub async fn violations(stores: &Stores, orders: &[Order], facts: &[Fact]) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for fact in facts.iter().filter(|fact| !fact.sent) {
        violations.push(format!("{} {} was never sent", fact.topic, fact.id));
    }
    violations.extend(told_once(orders, facts));
    violations.extend(consumed_once(stores, facts).await?);
    violations.extend(notified_once(&stores.notifications, facts).await?);
    violations.extend(undelivered(&stores.notifications).await?);
    violations.extend(dead_letters(stores).await?);
    Ok(violations)
}

/// An order is placed once and ends once.
fn told_once(orders: &[Order], facts: &[Fact]) -> Vec<String> {
    let mut told: HashMap<(&str, &str), usize> = HashMap::new();
    for fact in facts {
        *told.entry((fact.key.as_str(), fact.topic.as_str())).or_default() += 1;
    }
    let mut violations = Vec::new();
    for order in orders {
        let id = order.id.to_string();
        let end = format!("orders.v1.order_{}", order.state);
        for topic in ["orders.v1.order_placed", end.as_str()] {
            let times = told.get(&(id.as_str(), topic)).copied().unwrap_or(0);
            if times != 1 {
                violations.push(format!("order {id}: {topic} was told {times} times"));
            }
        }
    }
    violations
}

/// Every consumer remembers every fact that is meant for it, and no other.
async fn consumed_once(stores: &Stores, facts: &[Fact]) -> Result<Vec<String>> {
    let remembered: Vec<Uuid> =
        sqlx::query_scalar("select event_id from inbox").fetch_all(&stores.notifications).await?;
    let remembered: HashSet<Uuid> = remembered.into_iter().collect();
    let meant = |fact: &&Fact| {
        FACTS.iter().any(|f| f.topic == fact.topic && f.consumers.contains(&"notifications"))
    };
    let missing = facts.iter().filter(meant).filter(|fact| !remembered.contains(&fact.id));
    Ok(missing.map(|f| format!("{} {}: its effect is missing", f.topic, f.id)).collect())
}

/// One notification for each fact that is worth one.
async fn notified_once(notifications: &PgPool, facts: &[Fact]) -> Result<Vec<String>> {
    const KINDS: [(&str, &str); 4] = [
        ("orders.v1.order_confirmed", "order_confirmed"),
        ("orders.v1.order_failed", "order_failed"),
        ("orders.v1.order_cancelled", "order_cancelled"),
        ("payments.v1.payment_refunded", "payment_refunded"),
    ];
    let mut violations = Vec::new();
    let sent: Vec<(String, Uuid)> =
        sqlx::query_as("select kind, about_id from notifications").fetch_all(notifications).await?;
    let mut sent: HashMap<(String, Uuid), usize> =
        sent.into_iter().fold(HashMap::new(), |mut counts, row| {
            *counts.entry(row).or_default() += 1;
            counts
        });
    for fact in facts {
        let Some((_, kind)) = KINDS.iter().find(|(topic, _)| *topic == fact.topic) else {
            continue;
        };
        let refund = *kind == "payment_refunded";
        let about = if refund { fact.id } else { Uuid::parse_str(&fact.key)? };
        let times = sent.remove(&((*kind).to_owned(), about)).unwrap_or(0);
        if times != 1 {
            violations.push(format!("{kind} about {about} was notified {times} times"));
        }
    }
    // These are about something that the fact's envelope does not say: they are counted.
    for (topic, kind) in [
        ("identity.v1.user_registered", "welcome"),
        ("identity.v1.mail_token_requested", "verify_email"),
    ] {
        let asked = facts.iter().filter(|fact| fact.topic == topic).count();
        let told: usize = sent.extract_if(|(k, _), _| k == kind).map(|(_, times)| times).sum();
        if asked != told {
            violations.push(format!("{topic} was told {asked} times, {kind} {told} times"));
        }
    }
    let extra = sent.keys();
    violations.extend(extra.map(|(kind, about)| format!("{kind} about {about}: nobody told it")));
    Ok(violations)
}

async fn undelivered(notifications: &PgPool) -> Result<Vec<String>> {
    let waiting: Vec<(Uuid, String)> =
        sqlx::query_as("select notification_id, state from deliveries where state <> 'sent'")
            .fetch_all(notifications)
            .await?;
    Ok(waiting.iter().map(|(id, state)| format!("mail {id} is {state}")).collect())
}

async fn dead_letters(stores: &Stores) -> Result<Vec<String>> {
    let cert_chain = stores.authority.as_ref().map(std::fs::read_to_string).transpose()?;
    let tls = OwnedTLSConfig { identity: None, cert_chain };
    let connection = DefaultConnectionBuilder::new()?
        .with_uri_str(stores.amqp_url.clone())
        .with_tls_config(tls)
        .connect()
        .await
        .context("the broker does not answer after everything was made good")?;
    let channel = connection.create_channel().await?;
    let mut violations = Vec::new();
    for fact in FACTS {
        for consumer in fact.consumers {
            let dead = dead_letter_queue(&queue(consumer, fact.topic));
            let options = QueueDeclareOptions { passive: true, ..Default::default() };
            let letters =
                channel.queue_declare(dead.as_str().into(), options, FieldTable::default()).await?;
            if letters.message_count() > 0 {
                violations.push(format!("{} dead letters in {dead}", letters.message_count()));
            }
        }
    }
    connection.close(200, "OK".into()).await?;
    Ok(violations)
}

/// Mails beyond the first with the same Message-ID.
pub fn doubled_mails(dir: &Path) -> Result<usize> {
    let mut seen = HashSet::new();
    let mut doubled = 0;
    for entry in std::fs::read_dir(dir.join("new"))? {
        let text = std::fs::read_to_string(entry?.path()).unwrap_or_default();
        let id = text.lines().find(|l| l.to_ascii_lowercase().starts_with("message-id:"));
        if let Some(id) = id {
            doubled += usize::from(!seen.insert(id.to_owned()));
        }
    }
    Ok(doubled)
}
