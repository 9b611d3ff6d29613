//! Facts on their way: outboxes and queues.

use std::collections::BTreeSet;

use serde::Serialize;

use super::house::House;
use super::reading::Readings;

/// A consumer's queue.
#[derive(Debug, Serialize)]
pub struct Queue {
    pub consumer: String,
    pub topic: String,
    /// Facts that wait; none where nobody counts.
    pub waiting: Option<f64>,
    pub dead: Option<f64>,
    /// Facts a second that took effect.
    pub applied: f64,
    /// Facts a second that were tried again, or given up.
    pub failed: f64,
}

/// A service's outbox.
#[derive(Debug, Serialize)]
pub struct Outbox {
    pub service: String,
    /// Facts that are not sent yet; none where nobody counts.
    pub unsent: Option<f64>,
    /// Seconds since the oldest of them was written.
    pub oldest: Option<f64>,
    /// Facts sent a second.
    pub sent: f64,
    /// Whether a replica relays; none where nobody says.
    pub relayed: Option<bool>,
}

/// Every queue that the contract knows.
pub fn queues(house: &House, readings: &Readings) -> Vec<Queue> {
    let pairs = house.facts.iter().flat_map(|flow| flow.to.iter().map(|to| (to, &flow.topic)));
    let pairs: BTreeSet<(&String, &String)> = pairs.collect();
    let queue = |(consumer, topic): (&String, &String)| {
        let labels = [("consumer", consumer.as_str()), ("topic", topic.as_str())];
        let rate = |outcome: &str| {
            let labels = [
                ("messaging_consumer_group_name", consumer.as_str()),
                ("messaging_destination_name", topic.as_str()),
                ("outcome", outcome),
            ];
            readings.sum("consumed", &labels)
        };
        Queue {
            waiting: readings.first("waiting", &labels),
            dead: readings.first("dead", &labels),
            applied: rate("applied"),
            failed: rate("retried") + rate("dead"),
            consumer: consumer.clone(),
            topic: topic.clone(),
        }
    };
    pairs.into_iter().map(queue).collect()
}

/// The outbox of everybody who publishes.
pub fn outboxes(house: &House, readings: &Readings) -> Vec<Outbox> {
    let publishers: BTreeSet<&String> = house.facts.iter().map(|flow| &flow.from).collect();
    let outbox = |service: &String| {
        let labels = [("job", service.as_str())];
        Outbox {
            unsent: readings.first("unsent", &labels),
            oldest: readings.first("unsent_age", &labels),
            sent: readings.sum("sent", &labels),
            relayed: readings.first("relays", &labels).map(|value| value > 0.0),
            service: service.clone(),
        }
    };
    publishers.into_iter().map(outbox).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::house::Flow;
    use crate::domain::reading::Sample;

    #[test]
    fn a_queue_that_nobody_counts_is_shown_as_such() {
        let flow = Flow {
            topic: "orders.v1.order_placed".to_owned(),
            from: "orders".to_owned(),
            to: vec!["notifications".to_owned(), "cart".to_owned()],
        };
        let house = House { facts: vec![flow], ..House::default() };
        let labels = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let mut readings = Readings::default();
        let of_cart = [("consumer", "cart"), ("topic", "orders.v1.order_placed")];
        readings.0.insert("waiting", vec![Sample { labels: labels(&of_cart), value: 4.0 }]);
        let queues = queues(&house, &readings);
        let shown: Vec<_> = queues.iter().map(|q| (q.consumer.as_str(), q.waiting)).collect();
        assert_eq!(shown, [("cart", Some(4.0)), ("notifications", None)]);
        assert_eq!(outboxes(&house, &readings)[0].unsent, None);
    }
}
