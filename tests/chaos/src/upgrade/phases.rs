//! Phases of a roll-out: what customers were told in each.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::shop::{Heard, Notes};

use super::PATIENCE;

/// What a client is told to try again, with the same key: no answer at all, and these.
const TRIED_AGAIN: [&str; 4] = ["no answer", "429 ", "503 ", "504 "];

/// The order is changed at the same moment: the customer looks again.
const BUSY: &str = "409 ORDER_BUSY";

/// What happened in one phase.
pub struct Phase {
    pub name: String,
    pub took: Duration,
    pub requests: usize,
    pub acknowledged: usize,
    /// Answers that were no success, with how often they came.
    pub others: BTreeMap<String, usize>,
}

/// The phases, while they go on.
pub struct Phases<'a> {
    notes: &'a Notes,
    wanted: usize,
    tell: &'a dyn Fn(&str),
    begun: Vec<(String, Instant)>,
    stalled: Vec<String>,
}

impl<'a> Phases<'a> {
    pub fn new(notes: &'a Notes, wanted: usize, tell: &'a dyn Fn(&str)) -> Self {
        Self { notes, wanted, tell, begun: Vec::new(), stalled: Vec::new() }
    }

    pub fn begin(&mut self, name: &str) {
        (self.tell)(name);
        self.begun.push((name.to_owned(), Instant::now()));
    }

    /// Waits until customers have ordered for a while. False when they cannot.
    pub async fn orders(&mut self) -> bool {
        let (before, deadline) = (self.notes.acknowledgements().len(), Instant::now() + PATIENCE);
        while self.notes.acknowledgements().len() < before + self.wanted {
            if Instant::now() > deadline {
                let phase = self.begun.last().map_or("", |(name, _)| name);
                let orders = self.notes.acknowledgements().len() - before;
                self.stalled.push(format!(
                    "{phase}: {orders} orders within {} s, {} were to be expected",
                    PATIENCE.as_secs(),
                    self.wanted
                ));
                return false;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        true
    }

    /// What customers must not be told, and that they were told nothing.
    pub fn violations(&self) -> Vec<String> {
        let mut violations = self.stalled.clone();
        for phase in self.each() {
            let wrong = phase.others.iter().filter(|(answer, _)| !is_expected(answer));
            violations.extend(wrong.map(|(answer, times)| {
                format!("{}: {answer} was answered {times} times", phase.name)
            }));
        }
        violations
    }

    pub fn end(self) -> Vec<Phase> {
        self.each()
    }

    fn each(&self) -> Vec<Phase> {
        let now = Instant::now();
        let ends = self.begun.iter().skip(1).map(|(_, at)| *at).chain([now]);
        let acknowledged = self.notes.acknowledgements();
        let phases = self.begun.iter().zip(ends).map(|((name, from), to)| {
            let heard = self.notes.between(*from, to);
            let mut others = BTreeMap::new();
            for answer in heard.iter().filter_map(Heard::words) {
                *others.entry(answer.to_owned()).or_insert(0) += 1;
            }
            Phase {
                name: name.clone(),
                took: to - *from,
                requests: heard.len(),
                acknowledged: acknowledged.iter().filter(|at| (*from..to).contains(*at)).count(),
                others,
            }
        });
        phases.collect()
    }
}

/// Whether an answer is one that a client knows what to do about.
fn is_expected(answer: &str) -> bool {
    answer == BUSY || TRIED_AGAIN.iter().any(|again| answer.starts_with(again))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_again_is_expected() {
        assert!(is_expected("no answer"));
        assert!(is_expected("503 CIRCUIT_OPEN"));
        assert!(is_expected("409 ORDER_BUSY"));
    }

    #[test]
    fn a_fault_of_ours_and_a_contract_that_has_changed_are_not() {
        for answer in ["500 INTERNAL", "400 VALIDATION_FAILED", "401 ", "404 NOT_FOUND", "501 "] {
            assert!(!is_expected(answer), "{answer}");
        }
    }
}
