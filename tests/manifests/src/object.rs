//! Objects, with what the checks ask of them.

use std::fmt;

use serde_json::{Map, Value};

/// An object of a cluster.
#[derive(Clone, Debug)]
pub struct Object(pub Value);

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind(), self.namespace(), self.name())
    }
}

impl Object {
    pub fn kind(&self) -> &str {
        self.0["kind"].as_str().unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        self.0["metadata"]["name"].as_str().unwrap_or_default()
    }

    pub fn namespace(&self) -> &str {
        self.0["metadata"]["namespace"].as_str().unwrap_or_default()
    }

    /// What stands at a JSON pointer; null where nothing does.
    pub fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The template of the pods that it makes.
    pub fn template(&self) -> Option<&Value> {
        match self.kind() {
            "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => self.0.pointer("/spec/template"),
            "CronJob" => self.0.pointer("/spec/jobTemplate/spec/template"),
            _ => None,
        }
    }

    /// Whether its pods are meant to run for ever.
    pub fn lasts(&self) -> bool {
        matches!(self.kind(), "Deployment" | "StatefulSet" | "DaemonSet")
    }

    /// All containers of its pods.
    pub fn containers(&self) -> Vec<&Value> {
        let spec = self.template().map(|template| &template["spec"]);
        let list = |name: &str| spec.map(|spec| items(&spec[name])).unwrap_or_default();
        list("initContainers").into_iter().chain(list("containers")).collect()
    }
}

/// All objects of an installation.
#[derive(Clone, Debug)]
pub struct Objects(pub Vec<Object>);

impl Objects {
    /// All that is rendered.
    pub fn new(rendered: Vec<Value>) -> Self {
        Self(rendered.into_iter().map(Object).collect())
    }

    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Object> {
        self.0.iter().filter(move |object| object.kind() == kind)
    }

    pub fn find(&self, kind: &str, namespace: &str, name: &str) -> Option<&Object> {
        let named = |o: &&Object| o.namespace() == namespace && o.name() == name;
        self.0.iter().filter(|object| object.kind() == kind).find(named)
    }

    /// Whoever makes pods.
    pub fn workloads(&self) -> impl Iterator<Item = &Object> {
        self.0.iter().filter(|object| object.template().is_some())
    }

    /// All pods, an operator's too.
    pub fn pods(&self) -> impl Iterator<Item = Pods<'_>> {
        self.0.iter().filter_map(Pods::of)
    }

    /// Those of a namespace whose pods have these labels.
    pub fn selected<'a>(&'a self, namespace: &'a str, labels: &'a Value) -> Vec<&'a Object> {
        self.workloads()
            .filter(|workload| workload.namespace() == namespace)
            .filter(|workload| {
                let own = workload.template().map(|t| &t["metadata"]["labels"]);
                own.is_some_and(|own| has_all(own, labels))
            })
            .collect()
    }
}

/// The pods of whoever makes some.
pub struct Pods<'a> {
    pub owner: &'a Object,
    pub labels: Map<String, Value>,
}

impl<'a> Pods<'a> {
    fn of(owner: &'a Object) -> Option<Self> {
        let copied = |pointer: &str| owner.at(pointer).as_object().cloned().unwrap_or_default();
        let mut labels = match owner.kind() {
            "Cluster" => copied("/spec/inheritedMetadata/labels"),
            "RabbitmqCluster" => copied("/metadata/labels"),
            "Prometheus" | "Alertmanager" => copied("/spec/podMetadata/labels"),
            _ => owner.template()?["metadata"]["labels"].as_object().cloned().unwrap_or_default(),
        };
        // What the operator itself writes on them.
        if matches!(owner.kind(), "Prometheus" | "Alertmanager") {
            labels.insert("app.kubernetes.io/name".into(), owner.kind().to_lowercase().into());
        }
        Some(Self { owner, labels })
    }

    pub fn namespace(&self) -> &'a str {
        self.owner.namespace()
    }

    pub fn are(&self, selector: &Value) -> bool {
        means(selector, &self.labels)
    }
}

/// Whether a selector means whoever has these labels: by labels, or by expressions of the
/// kinds that are in use.
pub fn means(selector: &Value, labels: &Map<String, Value>) -> bool {
    let expressions = items(&selector["matchExpressions"]);
    let wanted = selector["matchLabels"].as_object();
    wanted.is_none_or(|wanted| wanted.iter().all(|(name, value)| labels.get(name) == Some(value)))
        && expressions.iter().all(|expression| {
            let own = expression["key"].as_str().and_then(|key| labels.get(key));
            match expression["operator"].as_str() {
                Some("Exists") => own.is_some(),
                Some("In") => own.is_some_and(|own| items(&expression["values"]).contains(&own)),
                _ => false,
            }
        })
}

/// Whether labels hold all of those wanted.
pub fn has_all(labels: &Value, wanted: &Value) -> bool {
    let wanted = wanted.as_object();
    wanted.is_some_and(|wanted| wanted.iter().all(|(name, value)| labels[name] == *value))
}

/// A list's items; none where there is no list.
pub fn items(value: &Value) -> Vec<&Value> {
    value.as_array().map(|list| list.iter().collect()).unwrap_or_default()
}

/// A list's texts.
pub fn texts(value: &Value) -> Vec<&str> {
    items(value).into_iter().filter_map(Value::as_str).collect()
}
