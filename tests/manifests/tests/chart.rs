//! Helm installs what kustomize does.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use manifests::OVERLAYS;
use regex::Regex;
use serde::Deserialize as _;
use serde_json::{Value, json};
use stack::{Layout, Terminal};

use crate::rendered::{by_place, plain};
use crate::{overlay, root};

/// Helm v4's own library.
const HELM: &str = "helm-python-sdk==0.2.2";

/// Reads values from its input, and prints what Helm makes of them.
const SCRIPT: &str = r#"
import json, sys
import helm_python as helm
chart, values = sys.argv[1], json.load(sys.stdin)
report = helm.lint(chart, values, strict=True)
if report["errors"]:
    sys.exit(str(report))
rendered = helm.Chart.load(chart).render(values, name="stoa", namespace="stoa")
print("\n---\n".join(rendered.values()))
"#;

#[test]
fn the_chart_renders_what_kustomize_does() {
    let layout = Layout::new(&root().join(".stoa/lint")).unwrap();
    let python = stack::python_programs(&[HELM], &layout, &mut Terminal).unwrap().join("python");
    let dir = tempfile::tempdir().unwrap();
    let chart = dir.path().join("stoa");
    manifests::chart::write(&root(), &chart).unwrap();
    // To Helm, who reads YAML 1.1, they are `true` and `false`; to us they are texts.
    let word = Regex::new(r"(?m)(: |- )(?i:y|n|yes|no|on|off)$").unwrap();
    for name in OVERLAYS {
        let mut values: BTreeMap<String, Value> = manifests::chart::settings(&root(), name)
            .unwrap()
            .into_iter()
            .map(|(key, value)| (key, json!(value)))
            .collect();
        values.insert("profile".to_owned(), json!(name));
        let mut command = Command::new(&python);
        command.args(["-c", SCRIPT]).arg(&chart).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(&serde_json::to_vec(&values).unwrap()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "helm refuses {name}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!word.is_match(&text), "{name}: {:?}", word.find(&text));
        let helms: Vec<Value> = serde_yaml_ng::Deserializer::from_str(&text)
            .map(|document| Value::deserialize(document).unwrap())
            .filter(|object| object["kind"].is_string())
            .collect();
        let (ours, helms) = (by_place(overlay(name)), by_place(helms));
        assert_eq!(ours.keys().collect::<Vec<_>>(), helms.keys().collect::<Vec<_>>(), "{name}");
        for (place, object) in &ours {
            assert_eq!(plain(object), plain(&helms[place]), "{name}: {place}");
        }
        println!("{name}: helm renders the same {} objects", ours.len());
    }
}
