//! The generated edge configuration, checked against the contract and by Envoy itself.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use contract::Contract;
use serde_json::Value;

/// Every value that is put in at start; envoy/README.md explains each.
const PLACEHOLDERS: [&str; 26] = [
    "ACCESS_LOG",
    "CERTIFICATES",
    "CORS_ORIGIN_REGEX",
    "DESCRIPTOR",
    "DOCS_HOST",
    "DOCS_PORT",
    "EDGE_ADDRESS",
    "EDGE_ADMIN_PORT",
    "EDGE_CERT",
    "EDGE_CERT_DIR",
    "EDGE_KEY",
    "EDGE_PORT",
    "EDGE_TLS_PORT",
    "GUARD_HOST",
    "GUARD_PORT",
    "JWKS_CACHE_SECONDS",
    "JWT_AUDIENCE",
    "JWT_ISSUER",
    "MESH_CA",
    "MESH_CERT",
    "MESH_DIR",
    "MESH_KEY",
    "TRACES_HOST",
    "TRACES_PORT",
    "TRACE_PERCENT",
    "TRUSTED_HOPS",
];

/// The files that name certificates.
const CERTIFICATES: [&str; 3] = ["edge", "mesh", "authorities"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn contract() -> Contract {
    contract::load(&root()).unwrap()
}

fn generated(path: &str) -> Vec<u8> {
    let files = contract::generate(&root()).unwrap();
    files.into_iter().find(|f| f.path == Path::new(path)).unwrap().contents
}

fn template() -> String {
    text("envoy/edge.yaml")
}

fn text(path: &str) -> String {
    String::from_utf8(generated(path)).unwrap()
}

fn config() -> Value {
    serde_yaml_ng::from_str(&template()).unwrap()
}

fn manager(config: &Value) -> &Value {
    let listener = &config["static_resources"]["listeners"][0];
    &listener["filter_chains"][0]["filters"][0]["typed_config"]
}

fn routes(config: &Value) -> &Vec<Value> {
    manager(config)["route_config"]["virtual_hosts"][0]["routes"].as_array().unwrap()
}

fn filter<'a>(config: &'a Value, name: &str) -> &'a Value {
    let filters = manager(config)["http_filters"].as_array().unwrap();
    let filter = filters.iter().find(|f| f["name"] == format!("envoy.filters.http.{name}"));
    &filter.unwrap()["typed_config"]
}

fn placeholders(text: &str) -> BTreeSet<String> {
    let starts = text.split("${").skip(1);
    starts.map(|rest| rest.split_once('}').unwrap().0.to_owned()).collect()
}

#[test]
fn every_external_rpc_has_one_route_and_internal_rpcs_have_none() {
    let config = config();
    let mut found: Vec<&str> =
        routes(&config).iter().filter_map(|r| r["match"]["path"].as_str()).collect();
    // Where applications find out how people are signed in: no RPC.
    found.retain(|path| !path.starts_with("/.well-known/"));
    found.sort_unstable();
    let contract = contract();
    let external = contract.methods().filter(|(_, m)| m.policy.access.is_external());
    let mut expected: Vec<&str> = external.map(|(_, m)| m.path.as_str()).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn every_route_leads_to_the_workload_that_serves_it_within_the_deadline() {
    let config = config();
    let by_path: BTreeMap<&str, &Value> = routes(&config)
        .iter()
        .filter_map(|r| r["match"]["path"].as_str().map(|path| (path, r)))
        .collect();
    for (service, method) in contract().methods().filter(|(_, m)| m.policy.access.is_external()) {
        let route = by_path[method.path.as_str()];
        assert_eq!(route["route"]["cluster"], service.workload.as_str());
        let header = &route["request_headers_to_add"][0]["header"];
        assert_eq!(header["value"], format!("{}m", method.policy.deadline_ms), "{}", method.path);
        let retries = route["route"]["retry_policy"]["num_retries"].as_u64();
        assert_eq!(retries, method.policy.retry.as_ref().map(|r| u64::from(r.attempts)));
        let jwt = &route["typed_per_filter_config"]["envoy.filters.http.jwt_authn"];
        let token = if method.policy.access.needs_user() { "required" } else { "optional" };
        assert_eq!(jwt["requirement_name"], token, "{}", method.path);
    }
}

#[test]
fn rbac_allows_each_external_rpc_to_who_holds_its_permission_by_role_or_by_claim() {
    let config = config();
    let rbac = filter(&config, "rbac");
    assert_eq!(rbac["rules"]["action"], "ALLOW");
    let policies = rbac["rules"]["policies"].as_object().unwrap();
    let contract = contract();
    let mut paths = 0;
    for (name, policy) in policies {
        paths += policy["permissions"].as_array().unwrap().len();
        if name == "open" {
            continue;
        }
        // Claim and value of each.
        let allowed: BTreeSet<(&str, &str)> = policy["principals"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| {
                let matcher = &p["sourced_metadata"]["metadata_matcher"];
                let value = &matcher["value"]["list_match"]["one_of"]["string_match"]["exact"];
                (matcher["path"][1]["key"].as_str().unwrap(), value.as_str().unwrap())
            })
            .collect();
        let holders = contract.roles.iter().filter(|r| r.permissions.contains(name));
        let holders: BTreeSet<(&str, &str)> = holders
            .map(|r| ("roles", r.name.as_str()))
            .chain([("entitlements", name.as_str())])
            .collect();
        assert_eq!(allowed, holders, "{name}");
    }
    let external = contract.methods().filter(|(_, m)| m.policy.access.is_external());
    assert_eq!(paths, external.count());
    for (_, method) in contract.methods().filter(|(_, m)| m.policy.access.is_external()) {
        let policy = method.policy.access.permission.as_deref().unwrap_or("open");
        let listed = policies[policy]["permissions"].as_array().unwrap();
        let listed = listed.iter().any(|p| p["url_path"]["path"]["exact"] == method.path.as_str());
        assert!(listed, "{} is not under {policy}", method.path);
    }
}

#[test]
fn services_with_only_internal_rpcs_are_not_transcoded() {
    let config = config();
    let transcoded: BTreeSet<String> = filter(&config, "grpc_json_transcoder")["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s.as_str().unwrap().to_owned())
        .collect();
    let expected: BTreeSet<String> = contract()
        .methods()
        .filter(|(_, m)| m.policy.access.is_external())
        .map(|(s, _)| s.full_name.clone())
        .collect();
    assert_eq!(transcoded, expected);
}

#[test]
fn the_placeholders_are_the_documented_ones() {
    let mut expected: BTreeSet<String> = PLACEHOLDERS.map(str::to_owned).into();
    for workload in contract().workloads() {
        let name = workload.to_uppercase();
        expected.extend([format!("{name}_HOST"), format!("{name}_PORT")]);
    }
    let mut found = placeholders(&template());
    for name in CERTIFICATES {
        found.extend(placeholders(&text(&format!("envoy/certificates/{name}.yaml"))));
    }
    assert_eq!(found, expected);
}

#[test]
fn the_readme_names_every_placeholder() {
    let readme = std::fs::read_to_string(root().join("envoy/README.md")).unwrap();
    for name in PLACEHOLDERS {
        assert!(readme.contains(&format!("`{name}`")), "envoy/README.md: {name} is missing");
    }
}

#[test]
fn https_shows_the_same_as_the_plain_listener_behind_modern_tls() {
    let config = config();
    let [plain, tls] = config["static_resources"]["listeners"].as_array().unwrap().as_slice()
    else {
        panic!("two listeners");
    };
    let manager = |l: &Value| l["filter_chains"][0]["filters"][0]["typed_config"].clone();
    assert_eq!(manager(plain), manager(tls));
    let context =
        &tls["filter_chains"][0]["transport_socket"]["typed_config"]["common_tls_context"];
    assert_eq!(context["tls_params"]["tls_minimum_protocol_version"], "TLSv1_2");
    for cipher in context["tls_params"]["cipher_suites"].as_array().unwrap() {
        let name = cipher.as_str().unwrap();
        let sealed = name.contains("-GCM-") || name.ends_with("-POLY1305");
        assert!(name.starts_with("ECDHE-") && sealed, "{name}");
    }
}

#[test]
fn envoy_accepts_the_configuration_without_a_deprecation_warning() {
    let envoy = std::env::var("STOA_ENVOY")
        .expect("STOA_ENVOY names no Envoy binary: run through `make test`");
    let dir = std::env::temp_dir().join(format!("stoa-edge-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let config = dir.join("edge.yaml");
    write_keys(&dir);
    for name in CERTIFICATES {
        let template = text(&format!("envoy/certificates/{name}.yaml"));
        std::fs::write(dir.join(format!("{name}.yaml")), filled_in(&dir, &template)).unwrap();
    }
    std::fs::write(&config, filled_in(&dir, &template())).unwrap();
    let output =
        Command::new(envoy).args(["--mode", "validate", "-c"]).arg(&config).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(output.status.success(), "{log}");
    assert!(!log.contains("Deprecated field"), "{log}");
    assert!(!log.contains("rejected"), "{log}");
}

/// What the configuration names, below `dir`.
fn write_keys(dir: &Path) {
    let key = rcgen::generate_simple_self_signed(vec!["edge".to_owned()]).unwrap();
    std::fs::write(dir.join("cert.pem"), key.cert.pem()).unwrap();
    std::fs::write(dir.join("key.pem"), key.signing_key.serialize_pem()).unwrap();
    std::fs::write(dir.join("descriptor.binpb"), generated("envoy/descriptor.binpb")).unwrap();
}

/// The configuration as it would be at start.
fn filled_in(dir: &Path, template: &str) -> String {
    let file = |name: &str| dir.join(name).display().to_string();
    let mut text = template.to_owned();
    for name in placeholders(template) {
        let value = match name.as_str() {
            "ACCESS_LOG" => "/dev/null".to_owned(),
            "CORS_ORIGIN_REGEX" => r"[a-z]+://localhost(:\d+)?".to_owned(),
            "DESCRIPTOR" => file("descriptor.binpb"),
            "CERTIFICATES" | "EDGE_CERT_DIR" | "MESH_DIR" => dir.display().to_string(),
            "EDGE_CERT" | "MESH_CERT" | "MESH_CA" => file("cert.pem"),
            "EDGE_KEY" | "MESH_KEY" => file("key.pem"),
            "JWT_ISSUER" => "https://stoa.local".to_owned(),
            "JWT_AUDIENCE" => "stoa".to_owned(),
            "EDGE_TLS_PORT" => "4041".to_owned(),
            port if port.ends_with("_PORT") => "4040".to_owned(),
            hops if hops.ends_with("_HOPS") => "0".to_owned(),
            percent if percent.ends_with("_PERCENT") => "100".to_owned(),
            seconds if seconds.ends_with("_SECONDS") => "300".to_owned(),
            _ => "127.0.0.1".to_owned(),
        };
        text = text.replace(&format!("${{{name}}}"), &value);
    }
    text
}
