//! The words, from the files in `templates/`: a subject on the first line, then
//! the body.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use time::OffsetDateTime;
use time::UtcOffset;
use time::macros::format_description;

use crate::core::Error;
use crate::core::ports::Texts;
use crate::domain::occasion::explanation;
use crate::domain::{Contact, Kind, Line, Occasion, Text, one_line};

/// Templates that are part of the binary.
pub struct Templates {
    environment: Environment<'static>,
}

/// A template by its name, which is that of its file.
macro_rules! templates {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../../templates/", $name, ".txt")))),*]
    };
}

/// One for each occasion, and the envelope of every e-mail.
const FILES: &[(&str, &str)] = &templates! {
    "welcome"
    "order_confirmed"
    "order_failed"
    "order_cancelled"
    "payment_refunded"
    "verify_email"
    "reset_password"
    "security_password_changed"
    "security_password_reset"
    "security_second_factor_added"
    "security_second_factor_removed"
    "security_sessions_revoked"
    "security_email_verified"
    "security_recovery_code_used"
    "security_roles_changed"
    "security_account_closed"
    "mail"
};

const MAIL: &str = "mail";

impl Templates {
    /// Fails when a template is malformed.
    pub fn load() -> Result<Self, Error> {
        let mut environment = Environment::new();
        // Plain text: `O'Neill & Sons` stays what it is.
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        for &(name, source) in FILES {
            environment.add_template(name, source).map_err(Error::internal)?;
        }
        Ok(Self { environment })
    }

    fn render(&self, template: &str, values: Value) -> Result<Text, Error> {
        let template = self.environment.get_template(template).map_err(Error::internal)?;
        let text = template.render(values).map_err(Error::internal)?;
        let (subject, body) = text.split_once('\n').unwrap_or((&text, ""));
        Ok(Text { subject: one_line(subject), body: body.trim_end().to_owned() })
    }
}

impl Texts for Templates {
    fn notification(&self, occasion: &Occasion) -> Result<Text, Error> {
        let order_id = occasion.order_id().map(|id| id.to_string());
        let values = match occasion {
            Occasion::Registered => context! {},
            Occasion::OrderConfirmed { order_id: _, total, lines } => {
                let lines: Vec<Value> = lines.iter().map(line).collect();
                context! { order_id, total => total.to_string(), lines }
            }
            Occasion::OrderFailed { order_id: _, reason } => {
                context! { order_id, explanation => explanation(reason) }
            }
            Occasion::OrderCancelled { order_id: _, total } => {
                context! { order_id, total => total.to_string() }
            }
            Occasion::PaymentRefunded { order_id: _, amount } => {
                context! { order_id, amount => amount.to_string() }
            }
            Occasion::EmailToVerify | Occasion::PasswordToReset => context! {},
            Occasion::Security { event: _, at } => context! { at => moment(*at)? },
        };
        self.render(occasion.template(), values)
    }

    fn mail(
        &self,
        kind: Kind,
        text: &Text,
        to: &Contact,
        link: Option<&str>,
    ) -> Result<Text, Error> {
        let (Text { subject, body }, mandatory) = (text, kind.is_mandatory());
        self.render(MAIL, context! { subject, body, name => to.display_name, link, mandatory })
    }
}

/// For example `21 November 2026, 15:04 UTC`.
fn moment(at: OffsetDateTime) -> Result<String, Error> {
    let form =
        format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
    at.to_offset(UtcOffset::UTC).format(form).map_err(Error::internal)
}

fn line(line: &Line) -> Value {
    let Line { name, quantity, total } = line;
    context! { name, quantity, total => total.to_string() }
}

#[cfg(test)]
mod tests {
    use types::{Currency, Money};
    use uuid::Uuid;

    use super::*;
    use crate::domain::SecurityEvent;

    fn euros(cents: i64) -> Money {
        Money::new(cents, Currency::Eur)
    }

    fn occasions() -> Vec<Occasion> {
        let at = OffsetDateTime::from_unix_timestamp(1_795_273_445)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let security = SecurityEvent::ALL.map(|event| Occasion::Security { event, at });
        let order_id = Uuid::nil();
        let lines = vec![Line::new("Tea & <Milk>\n{{ total }}", 2, euros(1000))];
        let others = [
            Occasion::Registered,
            Occasion::OrderConfirmed { order_id, total: euros(1299), lines },
            Occasion::OrderFailed { order_id, reason: "PAYMENT_DECLINED".to_owned() },
            Occasion::OrderCancelled { order_id, total: euros(1299) },
            Occasion::PaymentRefunded { order_id, amount: euros(299) },
            Occasion::EmailToVerify,
            Occasion::PasswordToReset,
        ];
        others.into_iter().chain(security).collect()
    }

    #[test]
    fn every_kind_of_occasion_has_words() -> Result<(), Error> {
        let templates = Templates::load()?;
        let kinds: Vec<_> = occasions().iter().map(Occasion::kind).collect();
        assert!(Kind::ALL.iter().all(|kind| kinds.contains(kind)));
        for occasion in occasions() {
            let text = templates.notification(&occasion)?;
            assert!(!text.subject.is_empty() && !text.body.is_empty(), "{occasion:?}");
        }
        Ok(())
    }

    #[test]
    fn a_confirmed_order_shows_its_lines_and_total_and_names_are_only_text() -> Result<(), Error> {
        let text = Templates::load()?.notification(&occasions()[1])?;
        assert_eq!(text.subject, "Your order over EUR 12.99 is confirmed");
        assert_eq!(
            text.body,
            "Thank you. We have received your order 00000000-0000-0000-0000-000000000000:\n\n  \
             2 x Tea & <Milk> {{ total }}: EUR 10.00\n\nTotal: EUR 12.99"
        );
        Ok(())
    }

    #[test]
    fn a_mail_addresses_its_reader() -> Result<(), Error> {
        let text = Text { subject: "News".to_owned(), body: "Two\nlines".to_owned() };
        let to = Contact::new(Uuid::nil(), "ada@example.com", "Ada\n{{ body }}");
        let mail = Templates::load()?.mail(Kind::Welcome, &text, &to, None)?;
        assert_eq!(mail.subject, "News");
        assert!(mail.body.starts_with("Hello Ada {{ body }},\n\nTwo\nlines\n\nYou can"));
        Ok(())
    }

    #[test]
    fn a_link_stands_on_a_line_of_its_own_and_what_is_mandatory_says_so() -> Result<(), Error> {
        let text = Text { subject: "News".to_owned(), body: "Body".to_owned() };
        let to = Contact::new(Uuid::nil(), "ada@example.com", "Ada");
        let mail = Templates::load()?.mail(Kind::VerifyEmail, &text, &to, Some("https://x/y?z"))?;
        let expected = "Hello Ada,\n\nBody\n\nhttps://x/y?z\n\nThis e-mail is about the security";
        assert!(mail.body.starts_with(expected), "{}", mail.body);
        Ok(())
    }

    #[test]
    fn security_mails_say_when_and_what_to_do_if_it_was_not_you() -> Result<(), Error> {
        let templates = Templates::load()?;
        for occasion in occasions() {
            if let Occasion::Security { event, .. } = occasion {
                let Text { body, .. } = templates.notification(&occasion)?;
                assert!(body.contains("21 November 2026, 15:04 UTC"), "{event:?}: {body}");
                assert!(body.contains("\n\nIf "), "{event:?}: {body}");
            }
        }
        Ok(())
    }
}
