//! Splits facts into waves in which every key appears once.

use std::collections::{HashSet, VecDeque};

use crate::outbox::Row;

/// Facts not published yet, oldest first.
pub(super) struct Waves {
    left: VecDeque<Row>,
    held: HashSet<String>,
}

impl Waves {
    pub(super) fn new(rows: Vec<Row>) -> Self {
        Self { left: rows.into(), held: HashSet::new() }
    }

    /// The oldest fact of every key that is left and not held.
    pub(super) fn next(&mut self) -> Option<Vec<Row>> {
        let (mut wave, mut keys, mut rest) = (Vec::new(), HashSet::new(), VecDeque::new());
        for row in self.left.drain(..) {
            if self.held.contains(&row.key) {
                continue;
            }
            if keys.insert(row.key.clone()) {
                wave.push(row);
            } else {
                rest.push_back(row);
            }
        }
        self.left = rest;
        (!wave.is_empty()).then_some(wave)
    }

    /// Leaves the key's later facts for another time: one before them failed.
    pub(super) fn hold(&mut self, key: &str) {
        self.held.insert(key.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use sqlx::types::time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;

    fn waves(keys: &[&str]) -> Waves {
        let rows = keys.iter().zip(1..).map(|(key, position)| Row {
            position,
            id: Uuid::now_v7(),
            topic: String::new(),
            key: (*key).to_owned(),
            schema: String::new(),
            payload: Vec::new(),
            traceparent: None,
            created_at: OffsetDateTime::UNIX_EPOCH,
        });
        Waves::new(rows.collect())
    }

    fn positions(wave: Option<Vec<Row>>) -> Vec<i64> {
        wave.unwrap_or_default().iter().map(|row| row.position).collect()
    }

    #[test]
    fn a_wave_holds_each_key_once_and_its_oldest_fact_first() {
        let mut waves = waves(&["a", "a", "b", "a", "b", "c"]);
        assert_eq!(positions(waves.next()), [1, 3, 6]);
        assert_eq!(positions(waves.next()), [2, 5]);
        assert_eq!(positions(waves.next()), [4]);
        assert!(waves.next().is_none());
    }

    #[test]
    fn a_key_that_failed_is_left_for_another_time() {
        let mut waves = waves(&["a", "a", "b", "b"]);
        assert_eq!(positions(waves.next()), [1, 3]);
        waves.hold("a");
        assert_eq!(positions(waves.next()), [4]);
        assert!(waves.next().is_none());
    }
}
