//! What people and other manifests rely on.

use std::collections::BTreeSet;

use contract::cluster;

use crate::documents::{objects, of_kind, root, strings};

#[test]
fn the_readme_tells_the_names_and_ports_that_manifests_must_use() {
    let readme = std::fs::read_to_string(root().join("k8s/README.md")).unwrap();
    let neighbours =
        [cluster::gateway(), cluster::istiod(), cluster::prometheus(), cluster::collector()];
    let mut facts = vec![
        cluster::NAMESPACE.to_owned(),
        cluster::NAME_LABEL.to_owned(),
        cluster::STORE_LABEL.to_owned(),
        cluster::TO_LABEL.to_owned(),
        cluster::TRUST_DOMAIN.to_owned(),
        cluster::GRPC_PORT.to_string(),
        cluster::ADMIN_PORT.to_string(),
        cluster::SIDECAR_METRICS_PORT.to_string(),
    ];
    for neighbour in neighbours {
        let (label, value) = &neighbour.label;
        facts.extend([neighbour.namespace.to_owned(), format!("{label}: {value}")]);
        facts.push(neighbour.port.to_string());
    }
    let missing: BTreeSet<String> =
        facts.into_iter().filter(|f| !readme.contains(&format!("`{f}`"))).collect();
    assert!(missing.is_empty(), "k8s/README.md does not name {missing:?}");
}

#[test]
fn a_kustomization_lists_every_file_beside_it() {
    for dir in ["istio/generated", "k8s/base/network-policies"] {
        let lists = of_kind(&objects(dir), "Kustomization");
        let listed: BTreeSet<String> =
            strings(&lists[0]["resources"]).into_iter().map(str::to_owned).collect();
        let files = std::fs::read_dir(root().join(dir)).unwrap();
        let mut found: BTreeSet<String> =
            files.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
        assert!(found.remove("kustomization.yaml"));
        assert_eq!(listed, found, "{dir}");
    }
}
