//! Answers of Prometheus, read with care: it may be of another version, or not one.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::reading::{Alert, Sample};

/// What an answer holds, or why there is nothing.
pub(super) fn data(mut answer: Value) -> Result<Value, String> {
    if answer["status"] == "success" {
        return Ok(answer["data"].take());
    }
    Err(answer["error"].as_str().unwrap_or("its answer is not understood").to_owned())
}

fn labels(metric: &Value) -> BTreeMap<String, String> {
    let pairs = metric.as_object().into_iter().flatten();
    pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// A number is a text: it may be NaN or infinite, which JSON cannot say.
fn number(value: &Value) -> Option<f64> {
    value.as_str()?.parse().ok()
}

/// An instant vector.
pub(super) fn samples(data: &Value) -> Vec<Sample> {
    let result = data["result"].as_array().into_iter().flatten();
    let sample =
        |s: &Value| Some(Sample { labels: labels(&s["metric"]), value: number(&s["value"][1])? });
    result.filter_map(sample).collect()
}

/// The first series of a range, at every step from `start`; none where it has no point.
pub(super) fn line(data: &Value, start: u64, step: u64, count: u64) -> Vec<Option<f64>> {
    let mut line = vec![None; usize::try_from(count).unwrap_or_default()];
    for point in data["result"][0]["values"].as_array().into_iter().flatten() {
        let Some(at) = point[0].as_f64() else { continue };
        let place = ((at - start as f64) / step as f64).round();
        let value = number(&point[1]).filter(|value| value.is_finite());
        if let Some(slot) = line.get_mut(place as usize).filter(|_| place >= 0.0) {
            *slot = value;
        }
    }
    line
}

/// Alerts; those that fire first, pages before tickets.
pub(super) fn alerts(data: &Value) -> Vec<Alert> {
    let alert = |alert: &Value| {
        let mut labels = labels(&alert["labels"]);
        let annotations = self::labels(&alert["annotations"]);
        let told = |name: &str| annotations.get(name).cloned().unwrap_or_default();
        Alert {
            name: labels.remove("alertname").unwrap_or_default(),
            severity: labels.remove("severity").unwrap_or_default(),
            state: alert["state"].as_str().unwrap_or_default().to_owned(),
            summary: told("summary"),
            runbook: runbook(&told("runbook")),
            since: alert["activeAt"].as_str().unwrap_or_default().to_owned(),
            labels,
        }
    };
    let mut alerts: Vec<Alert> =
        data["alerts"].as_array().into_iter().flatten().map(alert).collect();
    alerts.sort_by_key(|alert| {
        (alert.state != "firing", alert.severity != "page", alert.name.clone())
    });
    alerts
}

/// `docs/operations/runbooks/facts.md#factswait` → `facts#factswait`.
fn runbook(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().replacen(".md", "", 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn an_instant_vector_is_read_nan_included() {
        let answer = json!({"status": "success", "data": {"resultType": "vector", "result": [
            {"metric": {"job": "cart"}, "value": [1_700_000_000.1, "2.5"]},
            {"metric": {}, "value": [1_700_000_000.1, "NaN"]},
            {"metric": {"job": "odd"}, "value": [1_700_000_000.1, 3]},
        ]}});
        let samples = samples(&data(answer).unwrap());
        assert_eq!(samples.len(), 2);
        assert_eq!((samples[0].label("job"), samples[0].value), ("cart", 2.5));
        assert!(samples[1].value.is_nan() && samples[1].label("job").is_empty());
    }

    #[test]
    fn a_refusal_says_why() {
        let refusal = json!({"status": "error", "errorType": "bad_data", "error": "parse error"});
        assert_eq!(data(refusal).unwrap_err(), "parse error");
        assert!(data(json!("hello")).unwrap_err().contains("not understood"));
    }

    #[test]
    fn a_line_has_gaps_where_nothing_was_measured() {
        let data = json!({"result": [{"metric": {}, "values": [
            [1000, "1"], [1030, "3"], [1045, "NaN"], [9000, "4"], [10, "4"]
        ]}]});
        assert_eq!(line(&data, 1000, 15, 4), [Some(1.0), None, Some(3.0), None]);
        assert_eq!(line(&json!({"result": []}), 1000, 15, 2), [None, None]);
    }

    #[test]
    fn a_page_that_fires_comes_first_and_names_its_runbook() {
        let alert = |name: &str, severity: &str, state: &str| {
            json!({
                "labels": {"alertname": name, "severity": severity, "job": "orders"},
                "annotations": {
                    "summary": "Facts wait",
                    "runbook": "docs/operations/runbooks/facts.md#factswait",
                },
                "state": state,
                "activeAt": "2026-01-01T00:00:00Z",
            })
        };
        let data = json!({"alerts": [
            alert("A", "page", "pending"), alert("B", "ticket", "firing"), alert("C", "page", "firing"),
        ]});
        let alerts = alerts(&data);
        let names: Vec<_> = alerts.iter().map(|alert| alert.name.as_str()).collect();
        assert_eq!(names, ["C", "B", "A"]);
        assert_eq!(alerts[0].runbook, "facts#factswait");
        assert_eq!(alerts[0].labels.keys().collect::<Vec<_>>(), ["job"]);
    }
}
