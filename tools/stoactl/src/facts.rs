//! `stoactl facts`: facts that could not be applied, and what to do about them.

use anyhow::Result;
use proto::notifications::v1::dead_letter_service_client::DeadLetterServiceClient;
use proto::notifications::v1::{
    DeadLetter, DeadLetterQueue, ListDeadLettersRequest, ListDeadLettersResponse,
    RedriveDeadLettersRequest, RedriveDeadLettersResponse,
};

use crate::failure::failure;
use crate::output::{Output, moment, table};
use crate::session::Session;

/// What can be done with facts.
#[derive(clap::Subcommand)]
pub enum Facts {
    /// Dead letters, counted by topic; the oldest of each are shown, never their content.
    Dead {
        /// Only this topic, for example `orders.v1.order_confirmed`.
        #[arg(long, default_value = "")]
        topic: String,
        /// How many of each topic to show; at most 100.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(i32).range(0..=100))]
        peek: i32,
    },
    /// Puts the dead letters of a topic back into the queue that they came from.
    Redrive {
        /// The topic.
        topic: String,
        /// Why; kept with your name. Nothing personal of customers.
        #[arg(long)]
        why: String,
    },
}

/// The workload that consumes facts and keeps dead letters.
const CONSUMER: &str = "notifications";

impl Facts {
    pub async fn run(self, session: &Session, output: &Output) -> Result<()> {
        let mut client = DeadLetterServiceClient::new(session.channel(CONSUMER)?);
        match self {
            Self::Dead { topic, peek } => {
                let request = session.request(ListDeadLettersRequest { topic, peek })?;
                let answer = client.list_dead_letters(request).await.map_err(failure)?;
                let name = "stoa.notifications.v1.ListDeadLettersResponse";
                output.show(name, &answer.into_inner(), dead)
            }
            Self::Redrive { topic, why: reason } => {
                let request = session.request(RedriveDeadLettersRequest { topic, reason })?;
                let answer = client.redrive_dead_letters(request).await.map_err(failure)?;
                let name = "stoa.notifications.v1.RedriveDeadLettersResponse";
                output.show(name, &answer.into_inner(), redriven)
            }
        }
    }
}

fn dead(all: &ListDeadLettersResponse) -> String {
    let counts = all.queues.iter().map(|queue| [queue.topic.clone(), queue.count.to_string()]);
    let mut text = table(["TOPIC", "DEAD"], counts.collect());
    let letters: Vec<_> = all
        .queues
        .iter()
        .flat_map(|queue| queue.letters.iter().map(|one| row(queue, one)))
        .collect();
    if !letters.is_empty() {
        text.push_str("\n\n");
        text.push_str(&table(["TOPIC", "EVENT", "KEY", "DECIDED", "TRIES", "REASON"], letters));
    }
    text
}

fn row(queue: &DeadLetterQueue, letter: &DeadLetter) -> [String; 6] {
    let DeadLetter { event_id, key, reason, attempts, event_time } = letter.clone();
    let decided = moment(event_time.as_ref());
    [queue.topic.clone(), event_id, key, decided, attempts.to_string(), reason]
}

fn redriven(answer: &RedriveDeadLettersResponse) -> String {
    let RedriveDeadLettersResponse { redriven, left } = answer;
    match left {
        0 => format!("{redriven} put back"),
        _ => format!("{redriven} put back; {left} left: run it again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_counted_and_letters_have_their_reason() {
        let letter = DeadLetter {
            key: "o-1".to_owned(),
            reason: "no template for this".to_owned(),
            attempts: 8,
            ..Default::default()
        };
        let queue = DeadLetterQueue { topic: "a.v1.b".to_owned(), count: 1, letters: vec![letter] };
        let none = DeadLetterQueue { topic: "a.v1.c".to_owned(), ..Default::default() };
        let text = dead(&ListDeadLettersResponse { queues: vec![queue, none.clone()] });
        assert!(text.starts_with("TOPIC   DEAD\na.v1.b  1\na.v1.c  0\n\n"), "{text}");
        assert!(text.ends_with("8      no template for this"), "{text}");
        let text = dead(&ListDeadLettersResponse { queues: vec![none] });
        assert_eq!(text, "TOPIC   DEAD\na.v1.c  0");
    }

    #[test]
    fn what_is_left_is_told() {
        let answer = RedriveDeadLettersResponse { redriven: 2, left: 0 };
        assert_eq!(redriven(&answer), "2 put back");
        let answer = RedriveDeadLettersResponse { left: 5, ..answer };
        assert_eq!(redriven(&answer), "2 put back; 5 left: run it again");
    }
}
