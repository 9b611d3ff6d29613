//! E-mails by SMTP (RFC 5321, RFC 5322).

use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::Error as SmtpError;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use tracing::Instrument;
use tracing::field::Empty;

use crate::core::ports::{Mail, Mailer, NotSent};
use crate::domain::{Contact, Text};

/// Settings of the mail server.
#[derive(clap::Args, Clone, Debug)]
pub struct MailConfig {
    /// The mail server: `smtp://host:port`, `smtp://…?tls=required` for STARTTLS, or
    /// `smtps://user:password@host`.
    #[arg(long, env = "SMTP_URL", hide_env_values = true)]
    pub smtp_url: SecretString,
    /// Whom e-mails come from.
    #[arg(long, env = "MAIL_FROM", default_value = "Stoa <shop@stoa.local>")]
    pub mail_from: Mailbox,
    /// How long handing one e-mail over may take, in seconds.
    #[arg(long, env = "MAIL_TIMEOUT_SECONDS", default_value_t = 15)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub mail_timeout_seconds: u32,
}

/// Hands e-mails over to a mail server.
///
/// Every e-mail has a connection of its own: one that was given up in the middle
/// of a dialogue must not be used for the next.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    timeout: Duration,
}

impl SmtpMailer {
    /// Does not connect yet. Fails when SMTP_URL is not one.
    pub fn new(config: &MailConfig) -> Result<Self> {
        let timeout = Duration::from_secs(config.mail_timeout_seconds.into());
        let url = config.smtp_url.expose_secret();
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .context("SMTP_URL is not the URL of a mail server")?
            .timeout(Some(timeout))
            .build();
        Ok(Self { transport, from: config.mail_from.clone(), timeout })
    }

    fn message(&self, mail: &Mail) -> Result<Message, NotSent> {
        let Mail { id, to, text: Text { subject, body }, date } = mail;
        let message_id = format!("<{id}@{}>", self.from.email.domain());
        Message::builder()
            .from(self.from.clone())
            .to(mailbox(to)?)
            .subject(subject.as_str())
            .message_id(Some(message_id))
            .date((*date).into())
            .raw_header(auto_submitted())
            .header(ContentType::TEXT_PLAIN)
            .body(body.clone())
            .map_err(|e| NotSent::Permanent(e.to_string()))
    }

    /// Whether the server would talk to us at all: connection, TLS, credentials.
    async fn answers(&self) -> bool {
        matches!(timeout(self.timeout, self.transport.test_connection()).await, Ok(Ok(true)))
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Result<(), NotSent> {
        let span = tracing::info_span!(
            "smtp",
            otel.name = "send e-mail",
            otel.kind = "client",
            otel.status_code = Empty,
            error.type = Empty,
            network.protocol.name = "smtp",
        );
        let sent = self.hand_over(mail).instrument(span.clone()).await;
        if let Err(error) = &sent {
            telemetry::failed(&span, error.kind());
        }
        sent
    }
}

impl SmtpMailer {
    async fn hand_over(&self, mail: &Mail) -> Result<(), NotSent> {
        let message = self.message(mail)?;
        let (permanent, error) = match timeout(self.timeout, self.transport.send(message)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => (is_permanent(&error), error.to_string()),
            Err(_) => (false, "the mail server took too long".to_owned()),
        };
        // A server that refuses everybody, as in an outage or for a wrong password,
        // says nothing about this e-mail.
        Err(match (self.answers().await, permanent) {
            (false, _) => NotSent::Unreachable(error),
            (true, true) => NotSent::Permanent(error),
            (true, false) => NotSent::Temporary(error),
        })
    }
}

/// A 5yz reply, or an address that this server can never take.
fn is_permanent(error: &SmtpError) -> bool {
    error.is_permanent() || error.is_client()
}

fn mailbox(to: &Contact) -> Result<Mailbox, NotSent> {
    let address = to.email.parse();
    let address = address.map_err(|_| NotSent::Permanent("no e-mail address".to_owned()))?;
    let name = Some(to.display_name.clone()).filter(|name| !name.is_empty());
    Ok(Mailbox::new(name, address))
}

/// Keeps out-of-office replies away (RFC 3834, section 5).
fn auto_submitted() -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    HeaderValue::new(name, "auto-generated".to_owned())
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;

    fn mailer() -> Result<SmtpMailer> {
        SmtpMailer::new(&MailConfig {
            smtp_url: "smtp://127.0.0.1:1".into(),
            mail_from: "Stoa <shop@stoa.local>".parse()?,
            mail_timeout_seconds: 1,
        })
    }

    fn mail(email: &str) -> Mail {
        let text = Text { subject: "Grüße".to_owned(), body: "Hello".to_owned() };
        let to = Contact::new(Uuid::nil(), email, "Ada \"Countess\" Lovelace, née Byron");
        Mail { id: Uuid::nil(), to, text, date: OffsetDateTime::UNIX_EPOCH }
    }

    #[tokio::test]
    async fn the_same_mail_is_the_same_message() -> Result<()> {
        let (mailer, mail) = (mailer()?, mail("ada@example.com"));
        let message = String::from_utf8(mailer.message(&mail)?.formatted())?;
        assert!(
            message.contains("Message-ID: <00000000-0000-0000-0000-000000000000@stoa.local>\r\n")
        );
        assert!(message.contains("Auto-Submitted: auto-generated\r\n"));
        assert!(message.contains("Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"));
        assert!(message.is_ascii());
        let again = String::from_utf8(mailer.message(&mail)?.formatted())?;
        assert_eq!(message, again);
        Ok(())
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_for_good() -> Result<()> {
        for email in ["", "ada", "ada@example.com, bob@example.com", "a@b>\nRCPT TO:<c@d"] {
            let refused = mailer()?.send(&mail(email)).await;
            assert!(matches!(refused, Err(NotSent::Permanent(_))), "{email}: {refused:?}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn without_a_server_no_mail_is_to_blame() -> Result<()> {
        let refused = mailer()?.send(&mail("ada@example.com")).await;
        assert!(matches!(refused, Err(NotSent::Unreachable(_))), "{refused:?}");
        Ok(())
    }
}
