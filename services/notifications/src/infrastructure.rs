//! PostgreSQL, SMTP, identity and the templates.

pub mod identity;
pub mod postgres;
pub mod smtp;
pub mod templates;

pub use identity::GrpcMailTokens;
pub use postgres::{PostgresDeliveries, PostgresEffects, PostgresNotifications, PostgresPeople};
pub use smtp::{MailConfig, SmtpMailer};
pub use templates::Templates;
