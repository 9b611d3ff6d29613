//! Facts between services: published with the change that caused them, applied
//! once by everyone who consumes them. The only crate that knows the broker's client.

mod backoff;
mod cloudevent;
mod config;
mod connection;
mod consumer;
mod dead_letters;
mod health;
mod inbox;
mod outbox;
mod publisher;
mod relay;
#[cfg(feature = "sabotage")]
pub mod sabotage;
mod topology;
mod trace;

pub use cloudevent::Meta;
pub use config::BrokerConfig;
pub use consumer::dead_letter::Letter;
pub use consumer::{Consumer, Handler};
pub use dead_letters::{DeadLetterQueue, DeadLetters, DeadLettersError, Redrive, Redriven};
pub use health::Health;
pub use outbox::publish;
pub use relay::Relay;
pub use topology::{dead_letter_queue, queue};

/// The table of a service that publishes; it merges this into its migrations.
pub static OUTBOX: sqlx::migrate::Migrator = sqlx::migrate!("migrations/outbox");

/// The table of a service that consumes; it merges this into its migrations.
pub static INBOX: sqlx::migrate::Migrator = sqlx::migrate!("migrations/inbox");
