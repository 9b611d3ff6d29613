//! PostgreSQL, SMTP and the templates.

pub mod postgres;
pub mod smtp;
pub mod templates;

pub use postgres::{PostgresDeliveries, PostgresEffects, PostgresNotifications};
pub use smtp::{MailConfig, SmtpMailer};
pub use templates::Templates;
