//! Dashboards as people describe them, and as Grafana reads them.

use serde::Deserialize;
use serde_json::{Value, json};

/// The version of the format, which Grafana migrates from.
const VERSION: u32 = 41;
const ROW_WIDTH: u32 = 24;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    pub uid: String,
    title: String,
    about: String,
    #[serde(default)]
    variables: Vec<Variable>,
    rows: Vec<Row>,
}

/// A choice of the reader; all at first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variable {
    name: String,
    label: String,
    query: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    title: String,
    panels: Vec<Panel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Panel {
    title: String,
    #[serde(default)]
    about: String,
    #[serde(default = "timeseries")]
    kind: String,
    /// As Grafana calls it; `short` is a plain number.
    #[serde(default = "short")]
    unit: String,
    /// Of 24.
    #[serde(default = "third")]
    width: u32,
    /// From here on it is red.
    bad: Option<f64>,
    /// Below it is red.
    good: Option<f64>,
    /// Below it is red, too; for what is never more than its promise.
    red: Option<f64>,
    queries: Vec<Query>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    expr: String,
    #[serde(default)]
    legend: String,
}

fn timeseries() -> String {
    "timeseries".to_owned()
}

fn short() -> String {
    "short".to_owned()
}

fn third() -> u32 {
    8
}

impl Dashboard {
    pub fn json(&self, from: &str) -> Value {
        let mut variables = vec![json!({
            "name": "datasource",
            "label": "Prometheus",
            "type": "datasource",
            "query": "prometheus",
        })];
        variables.extend(self.variables.iter().map(Variable::json));
        json!({
            "uid": self.uid,
            "title": format!("Stoa: {}", self.title),
            "description": format!("{} Made from {from}; changes here are lost.", self.about),
            "tags": ["stoa"],
            "schemaVersion": VERSION,
            "editable": false,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": { "from": "now-1h", "to": "now" },
            "timezone": "utc",
            "links": [{
                "title": "Stoa",
                "type": "dashboards",
                "tags": ["stoa"],
                "asDropdown": false,
                "icon": "external link",
                "includeVars": false,
                "keepTime": true,
                "targetBlank": false,
                "tooltip": "",
                "url": "",
            }],
            "templating": { "list": variables },
            "panels": self.panels(),
        })
    }

    /// Rows one below the other, their panels from left to right.
    fn panels(&self) -> Vec<Value> {
        let (mut panels, mut id, mut y) = (Vec::new(), 0, 0);
        let mut next = || {
            id += 1;
            id
        };
        for row in &self.rows {
            let place = json!({ "x": 0, "y": y, "w": ROW_WIDTH, "h": 1 });
            panels.push(json!({
                "id": next(),
                "type": "row",
                "title": row.title,
                "collapsed": false,
                "gridPos": place,
                "panels": [],
            }));
            y += 1;
            let (mut x, mut height) = (0, 0);
            for panel in &row.panels {
                if x + panel.width > ROW_WIDTH {
                    (x, y, height) = (0, y + height, 0);
                }
                let h = if panel.kind == "stat" { 4 } else { 8 };
                let place = json!({ "x": x, "y": y, "w": panel.width, "h": h });
                panels.push(panel.json(next(), place));
                (x, height) = (x + panel.width, height.max(h));
            }
            y += height;
        }
        panels
    }
}

impl Variable {
    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "label": self.label,
            "type": "query",
            "datasource": datasource(),
            "query": self.query,
            "refresh": 2,
            "includeAll": true,
            "allValue": ".+",
            "multi": true,
            "current": { "text": "All", "value": "$__all" },
            "sort": 1,
        })
    }
}

impl Panel {
    fn json(&self, id: u32, place: Value) -> Value {
        let targets = self.queries.iter().zip("ABCDEFGH".chars()).map(|(query, letter)| {
            json!({
                "refId": letter.to_string(),
                "datasource": datasource(),
                "expr": query.expr.trim(),
                "legendFormat": query.legend,
                "instant": self.kind != "timeseries",
                "range": self.kind == "timeseries",
                "format": if self.kind == "table" { "table" } else { "time_series" },
            })
        });
        json!({
            "id": id,
            "type": self.kind,
            "title": self.title,
            "description": self.about,
            "datasource": datasource(),
            "gridPos": place,
            "targets": targets.collect::<Vec<_>>(),
            "fieldConfig": { "defaults": self.field(), "overrides": [] },
            "options": self.options(),
        })
    }

    fn field(&self) -> Value {
        let (green, red) = ("green", "red");
        let steps = match (self.bad, self.good.or(self.red)) {
            (Some(bad), _) => {
                json!([{ "color": green, "value": null }, { "color": red, "value": bad }])
            }
            (None, Some(good)) => {
                json!([{ "color": red, "value": null }, { "color": green, "value": good }])
            }
            (None, None) => json!([{ "color": green, "value": null }]),
        };
        json!({ "unit": self.unit, "thresholds": { "mode": "absolute", "steps": steps } })
    }

    fn options(&self) -> Value {
        match self.kind.as_str() {
            "timeseries" => json!({
                "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true },
                "tooltip": { "mode": "multi", "sort": "desc" },
            }),
            "table" => json!({ "showHeader": true }),
            _ => json!({ "reduceOptions": { "calcs": ["lastNotNull"], "values": false } }),
        }
    }
}

fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}
