//! What Prometheus answers: series with labels, each with a value.

use std::collections::BTreeMap;

use serde::Serialize;

/// One series at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

impl Sample {
    /// A label's value; empty when it has none, as in PromQL.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// The answers to all questions of one moment, by the question's name.
#[derive(Clone, Debug, Default)]
pub struct Readings(pub BTreeMap<&'static str, Vec<Sample>>);

impl Readings {
    /// The answer to one question.
    pub fn of(&self, question: &str) -> &[Sample] {
        self.0.get(question).map(Vec::as_slice).unwrap_or_default()
    }

    /// The sum of those whose labels are these.
    pub fn sum(&self, question: &str, labels: &[(&str, &str)]) -> f64 {
        self.matching(question, labels).map(|sample| sample.value).sum()
    }

    /// The first of those whose labels are these.
    pub fn first(&self, question: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.matching(question, labels).map(|sample| sample.value).next()
    }

    fn matching<'a>(
        &'a self,
        question: &str,
        labels: &'a [(&str, &str)],
    ) -> impl Iterator<Item = &'a Sample> {
        let all = self.of(question).iter();
        all.filter(|s| labels.iter().all(|(name, value)| s.label(name) == *value))
    }
}

/// An alert that fires, or is about to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alert {
    pub name: String,
    /// `page` or `ticket`.
    pub severity: String,
    /// `firing` or `pending`.
    pub state: String,
    pub summary: String,
    /// The page of the runbooks and the place on it, for example `facts#factswait`.
    pub runbook: String,
    /// When it began, as Prometheus writes it.
    pub since: String,
    pub labels: BTreeMap<String, String>,
}

/// Values at regular moments, the last one now.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Line {
    pub name: &'static str,
    /// Absent where nothing was measured.
    pub values: Vec<Option<f64>>,
}
