//! The words, from the files in `templates/`: a subject on the first line, then
//! the body.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

use crate::core::Error;
use crate::core::ports::Texts;
use crate::domain::occasion::explanation;
use crate::domain::{Contact, Line, Occasion, Text, one_line};

/// Templates that are part of the binary.
pub struct Templates {
    environment: Environment<'static>,
}

/// Named after the kinds of notifications, and the envelope of every e-mail.
const FILES: [(&str, &str); 6] = [
    ("welcome", include_str!("../../templates/welcome.txt")),
    ("order_confirmed", include_str!("../../templates/order_confirmed.txt")),
    ("order_failed", include_str!("../../templates/order_failed.txt")),
    ("order_cancelled", include_str!("../../templates/order_cancelled.txt")),
    ("payment_refunded", include_str!("../../templates/payment_refunded.txt")),
    (MAIL, include_str!("../../templates/mail.txt")),
];

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
        for (name, source) in FILES {
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
        };
        self.render(occasion.kind().name(), values)
    }

    fn mail(&self, text: &Text, to: &Contact) -> Result<Text, Error> {
        let Text { subject, body } = text;
        self.render(MAIL, context! { subject, body, name => to.display_name })
    }
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
    use crate::domain::Kind;

    fn euros(cents: i64) -> Money {
        Money::new(cents, Currency::Eur)
    }

    fn occasions() -> [Occasion; 5] {
        let order_id = Uuid::nil();
        let lines = vec![Line::new("Tea & <Milk>\n{{ total }}", 2, euros(1000))];
        [
            Occasion::Registered,
            Occasion::OrderConfirmed { order_id, total: euros(1299), lines },
            Occasion::OrderFailed { order_id, reason: "PAYMENT_DECLINED".to_owned() },
            Occasion::OrderCancelled { order_id, total: euros(1299) },
            Occasion::PaymentRefunded { order_id, amount: euros(299) },
        ]
    }

    #[test]
    fn every_kind_of_occasion_has_words() -> Result<(), Error> {
        let templates = Templates::load()?;
        assert_eq!(occasions().map(|o| o.kind()), Kind::ALL);
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
        let mail = Templates::load()?.mail(&text, &to)?;
        assert_eq!(mail.subject, "News");
        assert!(mail.body.starts_with("Hello Ada {{ body }},\n\nTwo\nlines\n\nYou can"));
        Ok(())
    }
}
