//! Every rule refuses an installation that breaks it.

use std::collections::BTreeSet;

use manifests::Objects;
use serde_json::{Value, json};

use crate::overlay;

/// An operation on one object: kind, name, how.
type Break = (&'static str, &'static str, fn(&mut Value));

/// A rule, what breaks it, and what is said then.
const TABLE: &[(&str, Break, &str)] = &[
    (
        "an object is there once",
        ("Service", "cart", |o| o["metadata"]["name"] = json!("orders")),
        "twice",
    ),
    (
        "every namespace that is used exists",
        ("PodDisruptionBudget", "cart", |o| o["metadata"]["namespace"] = json!("shop")),
        "nobody makes the namespace",
    ),
    (
        "every Service has a workload, whose pods open its ports",
        ("Service", "orders", |o| o["spec"]["selector"]["app.kubernetes.io/name"] = json!("order")),
        "no workload has the labels",
    ),
    (
        "every Service has a workload, whose pods open its ports",
        ("Service", "orders", |o| o["spec"]["ports"][0]["targetPort"] = json!("http")),
        "does not open",
    ),
    (
        "every Service has a workload, whose pods open its ports",
        // Then the job that migrates is a place for requests.
        ("Service", "orders", |o| {
            remove(&mut o["spec"]["selector"], "app.kubernetes.io/component")
        }),
        "Job stoa/orders-migrate",
    ),
    (
        "every policy selects something",
        ("NetworkPolicy", "orders-to-broker", |o| {
            o["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] = json!("order");
        }),
        "selects nothing",
    ),
    (
        "every policy selects something",
        ("Sidecar", "cart", |o| {
            o["spec"]["workloadSelector"]["labels"]["app.kubernetes.io/name"] = json!("carts");
        }),
        "selects nothing",
    ),
    (
        "every namespace with pods denies what no policy allows",
        ("NetworkPolicy", "default-deny", |o| o["spec"]["policyTypes"] = json!(["Ingress"])),
        "no policy denies by default",
    ),
    (
        "every autoscaler has what it scales, and every Deployment an autoscaler",
        ("HorizontalPodAutoscaler", "edge", |o| {
            o["spec"]["scaleTargetRef"]["name"] = json!("envoy")
        }),
        "there is no Deployment envoy",
    ),
    (
        "every autoscaler has what it scales, and every Deployment an autoscaler",
        ("HorizontalPodAutoscaler", "edge", |o| {
            o["spec"]["metrics"][0]["containerResource"]["container"] = json!("edge");
        }),
        "has no container",
    ),
    (
        "every Deployment has a disruption budget and is spread",
        ("PodDisruptionBudget", "cart", |o| {
            o["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] = json!("orders");
        }),
        "Deployment stoa/cart has no disruption budget",
    ),
    (
        "every Deployment has a disruption budget and is spread",
        ("Deployment", "cart", |o| {
            pod(o)["topologySpreadConstraints"][0]["topologyKey"] = json!("zone");
        }),
        "is not spread over topology.kubernetes.io/zone",
    ),
    (
        "every pod has the service account that is called like its workload",
        ("Deployment", "cart", |o| pod(o)["serviceAccountName"] = json!("orders")),
        "is \"cart\" by its label and orders by its account",
    ),
    (
        "every pod has the service account that is called like its workload",
        ("Deployment", "cart", |o| pod(o)["automountServiceAccountToken"] = json!(true)),
        "mounts a token",
    ),
    (
        "every host that the mesh names exists, with its port",
        ("DestinationRule", "cart", |o| o["spec"]["host"] = json!("carts.stoa.svc.cluster.local")),
        "carts.stoa.svc.cluster.local does not exist",
    ),
    (
        "every host that the mesh names exists, with its port",
        ("VirtualService", "shop", |o| {
            o["spec"]["http"][0]["route"][0]["destination"]["port"]["number"] = json!(8443);
        }),
        ":8443 does not exist",
    ),
    (
        "every host that the mesh names exists, with its port",
        ("ServiceEntry", "smtp", |o| o["spec"]["hosts"][0] = json!("mail.example.com")),
        "Sidecar stoa/notifications: smtp.",
    ),
    (
        "every host that a setting names exists, with its port",
        ("Deployment", "orders", |o| {
            setting(o, "CART_URL", "http://cart.stoa.svc.cluster.local:50051");
        }),
        "not at Some(50051)",
    ),
    (
        "every host that a pod is told of is known to its sidecar",
        ("Deployment", "cart", |o| {
            setting(o, "CATALOG_URL", "http://orders.stoa.svc.cluster.local:8080");
        }),
        "does not know orders.stoa.svc.cluster.local",
    ),
    (
        "every host that a setting names exists, with its port",
        ("ConfigMap", "otel-sampler", |o| {
            let text =
                o["data"]["sampler.yaml"].as_str().unwrap().replace("tempo.obs", "jaeger.obs");
            o["data"]["sampler.yaml"] = json!(text);
        }),
        "jaeger.observability.svc.cluster.local does not exist",
    ),
    (
        "every host that a setting names exists, with its port",
        ("AnalysisTemplate", "promises", |o| {
            let asked = &mut o["spec"]["metrics"][0]["provider"]["prometheus"]["address"];
            *asked = json!("http://prometheus.observability.svc.cluster.local:9090");
        }),
        "prometheus.observability.svc.cluster.local does not exist",
    ),
    (
        "every host that a setting names exists, with its port",
        ("ExternalSecret", "orders", |o| replace(o, "AMQP_URL", "rabbitmq.", "rabbits.")),
        "rabbits.production.stores.example.com does not exist",
    ),
    (
        "the way to every host that a pod is told of is open at both ends",
        ("NetworkPolicy", "grafana", |o| {
            o["spec"]["egress"].as_array_mut().unwrap().remove(1);
        }),
        "Deployment observability/grafana: is not let out to StatefulSet observability/loki at 3100",
    ),
    (
        "the way to every host that a pod is told of is open at both ends",
        ("NetworkPolicy", "tempo", |o| o["spec"]["ingress"][0]["ports"][0]["port"] = json!(4318)),
        "is not let in to StatefulSet observability/tempo at 4317",
    ),
    (
        "the way to every host that a pod is told of is open at both ends",
        ("NetworkPolicy", "catalog", |o| {
            o["spec"]["ingress"]
                .as_array_mut()
                .unwrap()
                .retain(|rule| !rule.to_string().contains("\"cart\""));
        }),
        "Deployment stoa/cart: is not let in to Deployment stoa/catalog at 8080",
    ),
    (
        "the way to everything that Prometheus asks is open at both ends",
        ("NetworkPolicy", "prober", |o| remove(&mut o["spec"], "ingress")),
        "is not let in to Deployment observability/prober at 9090",
    ),
    (
        "the way to everything that Prometheus asks is open at both ends",
        ("NetworkPolicy", "prometheus", |o| {
            o["spec"]["egress"][0]["ports"].as_array_mut().unwrap().truncate(1);
        }),
        "is not let out to Deployment stoa/cart at 15090",
    ),
    (
        "every subset that a route leads to is declared",
        ("DestinationRule", "cart", |o| o["spec"]["subsets"][1]["name"] = json!("next")),
        "has no subset canary",
    ),
    (
        "every gateway that a route is for exists, and opens its hosts",
        ("Gateway", "shop", |o| o["metadata"]["name"] = json!("door")),
        "there is no gateway stoa/shop",
    ),
    (
        "every gateway that a route is for exists, and opens its hosts",
        ("VirtualService", "shop", |o| o["spec"]["hosts"][0] = json!("other.example")),
        "does not open other.example",
    ),
    (
        "every principal that a policy lets in exists",
        ("ServiceAccount", "edge", |o| o["metadata"]["name"] = json!("envoy")),
        "nobody is stoa.local/ns/stoa/sa/edge",
    ),
    (
        "every service of the mesh asks for mutual TLS",
        ("PeerAuthentication", "default", |o| o["spec"]["mtls"]["mode"] = json!("PERMISSIVE")),
        "lets plain text in",
    ),
    (
        "every service of the mesh asks for mutual TLS",
        ("DestinationRule", "cart", |o| {
            o["spec"]["trafficPolicy"]["tls"]["mode"] = json!("DISABLE")
        }),
        "sends plain text",
    ),
    (
        "every port that speaks gRPC says so",
        ("Service", "orders", |o| o["spec"]["ports"][0]["appProtocol"] = json!("tcp")),
        "Service stoa/orders: \"grpc\" says \"tcp\"",
    ),
    (
        "requests leave their zone only if somebody says who is healthy",
        ("DestinationRule", "cart", |o| {
            remove(&mut o["spec"]["trafficPolicy"], "outlierDetection");
        }),
        "nobody says who is healthy",
    ),
    (
        "where there is a gateway out, nobody of the platform leaves by another way",
        ("NetworkPolicy", "payments-to-payment-provider", |o| {
            o["spec"]["egress"][0]["to"] = json!([{"ipBlock": {"cidr": "0.0.0.0/0"}}]);
        }),
        "lets everywhere",
    ),
    (
        "every image is pinned",
        ("Deployment", "cart", |o| {
            container(o)["image"] = json!("registry.example.com/stoa/cart:latest")
        }),
        "is not pinned",
    ),
    (
        "every image is pinned",
        ("Deployment", "edge", |o| container(o)["image"] = json!("envoyproxy/envoy:v1.40.0")),
        "names no registry",
    ),
    (
        "every probe's port exists",
        ("Deployment", "cart", |o| container(o)["readinessProbe"]["grpc"]["port"] = json!(50051)),
        "asked at 50051",
    ),
    (
        "every container that lasts says whether it is ready and alive",
        ("Deployment", "cart", |o| remove(container(o), "readinessProbe")),
        "no readinessProbe",
    ),
    (
        "every container asks for what it needs and has an end to its memory",
        ("Deployment", "cart", |o| remove(&mut container(o)["resources"], "limits")),
        "no limit of memory",
    ),
    (
        "every pod is restricted",
        ("Deployment", "cart", |o| pod(o)["securityContext"]["runAsNonRoot"] = json!(false)),
        "may run as root",
    ),
    (
        "every pod is restricted",
        ("Job", "orders-migrate-0.1.0", |o| {
            container(o)["securityContext"]["readOnlyRootFilesystem"] = json!(false);
        }),
        "may write to its image",
    ),
    (
        "every pod is restricted",
        ("Namespace", "observability", |o| {
            o["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = json!("privileged");
        }),
        "does not enforce `restricted`",
    ),
    (
        "every pod is restricted",
        ("Prometheus", "stoa", |o| remove(&mut o["spec"], "securityContext")),
        "its pods are not restricted",
    ),
    (
        "who reads the node's files reads what it must, and nothing else",
        ("DaemonSet", "otel-logs", |o| {
            pod(o)["volumes"][1]["hostPath"]["path"] = json!("/");
        }),
        "/ is not its to use",
    ),
    (
        "who reads the node's files reads what it must, and nothing else",
        ("DaemonSet", "otel-logs", |o| remove(&mut container(o)["volumeMounts"][1], "readOnly")),
        "/var/log/pods is not its to use",
    ),
    (
        "who reads the node's files reads what it must, and nothing else",
        ("StatefulSet", "loki", |o| o["metadata"]["namespace"] = json!("stoa-logs")),
        "is where everything is allowed",
    ),
    (
        "a pod has longer to end than it drains",
        ("Deployment", "cart", |o| pod(o)["terminationGracePeriodSeconds"] = json!(10)),
        "killed before it has drained",
    ),
    (
        "a pod has longer to end than it drains",
        ("Deployment", "istio-ingress", |o| {
            let annotations = &mut o["spec"]["template"]["metadata"]["annotations"];
            remove(annotations, "proxy.istio.io/config");
        }),
        "killed before it has drained",
    ),
    (
        "every Secret and ConfigMap that is mounted or read exists, with its keys",
        ("ExternalSecret", "cart", |o| o["spec"]["target"]["name"] = json!("carts")),
        "nobody makes the Secret cart-secrets",
    ),
    (
        "every Secret and ConfigMap that is mounted or read exists, with its keys",
        ("Deployment", "cart", |o| {
            let map = json!({"name": "more", "configMap": {"name": "cart-settings"}});
            pod(o)["volumes"].as_array_mut().unwrap().push(map);
        }),
        "nobody makes the ConfigMap cart-settings",
    ),
    (
        "every Secret and ConfigMap that is mounted or read exists, with its keys",
        ("ExternalSecret", "prober", |o| o["spec"]["data"][0]["secretKey"] = json!("address")),
        "nobody makes \"email\" of the Secret \"prober\"",
    ),
    (
        "every Secret and ConfigMap that is mounted or read exists, with its keys",
        ("ExternalSecret", "alertmanager", |o| o["spec"]["target"]["name"] = json!("hooks")),
        "AlertmanagerConfig observability/page: nobody makes \"page\"",
    ),
    (
        "every mount has its volume",
        ("Deployment", "cart", |o| pod(o)["volumes"][0]["name"] = json!("passwords")),
        "there is no volume \"secrets\"",
    ),
    (
        "every secret that is read from a file is in the Secret that is mounted there",
        ("ExternalSecret", "orders", |o| {
            let made = &mut o["spec"]["target"]["template"]["data"];
            made["BROKER_URL"] = made["AMQP_URL"].take();
            remove(made, "AMQP_URL");
        }),
        "AMQP_URL_FILE is in no Secret",
    ),
    (
        "whoever waits for a schema has a job that makes it, of the same release",
        ("Job", "orders-migrate-0.1.0", |o| {
            container(o)["image"] = json!("registry.example.com/stoa/orders:0.0.9");
        }),
        "no job makes the schema",
    ),
    (
        "whoever waits for a schema has a job that makes it, of the same release",
        ("Job", "orders-migrate-0.1.0", |o| o["metadata"]["name"] = json!("orders-migrate")),
        "is not called after the release",
    ),
    (
        "a canary is given its share of every route",
        ("Rollout", "orders", |o| {
            let istio = &mut o["spec"]["strategy"]["canary"]["trafficRouting"]["istio"];
            istio["virtualServices"][0]["routes"].as_array_mut().unwrap().pop();
        }),
        "is not in both",
    ),
    (
        "a canary is given its share of every route",
        ("VirtualService", "orders", |o| {
            o["spec"]["http"][0]["route"].as_array_mut().unwrap().pop();
        }),
        "does not lead to both",
    ),
    (
        "every analysis of a release exists",
        ("AnalysisTemplate", "promises", |o| o["metadata"]["name"] = json!("promise")),
        "there is no AnalysisTemplate promises",
    ),
    (
        "no store is spoken to in plain, and each proves who it is",
        ("ExternalSecret", "orders", |o| replace(o, "AMQP_URL", "amqps://", "amqp://")),
        "Deployment stoa/orders: AMQP_URL is plain",
    ),
    (
        "no store is spoken to in plain, and each proves who it is",
        ("ExternalSecret", "orders", |o| replace(o, "DATABASE_URL", "verify-full", "require")),
        "DATABASE_URL is plain, or believes everybody",
    ),
    (
        "no store is spoken to in plain, and each proves who it is",
        ("ExternalSecret", "cart", |o| replace(o, "REDIS_URL", "rediss://", "redis://")),
        "REDIS_URL is plain",
    ),
    (
        "no store is spoken to in plain, and each proves who it is",
        ("Deployment", "orders", |o| {
            container(o)["volumeMounts"].as_array_mut().unwrap().truncate(1);
        }),
        "DATABASE_URL names /run/stoa/authorities/rds.pem, which is not there",
    ),
    (
        "no store is spoken to in plain, and each proves who it is",
        ("NetworkPolicy", "orders-to-broker", |o| {
            o["spec"]["egress"][0]["ports"][0]["port"] = json!(5672);
        }),
        "opens another port than 5671",
    ),
    (
        "what Prometheus and Alertmanager know outlives their pods, and fits their disks",
        ("Prometheus", "stoa", |o| o["spec"]["storage"] = json!({"emptyDir": {}})),
        "has no disk of its own",
    ),
    (
        "what Prometheus and Alertmanager know outlives their pods, and fits their disks",
        ("Prometheus", "stoa", |o| o["spec"]["retentionSize"] = json!("50GB")),
        "its disk is full before it forgets",
    ),
];

/// The same for an installation that hosts its own stores.
const HOSTED: &[(&str, Break, &str)] = &[
    (
        "no store is spoken to in plain, and each proves who it is",
        ("Deployment", "cart", |o| {
            container(o)["env"].as_array_mut().unwrap().retain(|s| s["name"] != "REDIS_CA");
        }),
        "REDIS_URL says of nobody who vouches",
    ),
    (
        "no store is spoken to in plain, and each proves who it is",
        ("ExternalSecret", "orders", |o| {
            replace(o, "AMQP_URL", "?cacertfile=/run/secrets/stoa/AMQP_CA", "");
        }),
        "AMQP_URL says of nobody who vouches",
    ),
    (
        "no store is spoken to in plain, and each proves who it is",
        ("ExternalSecret", "payments", |o| {
            remove(&mut o["spec"]["target"]["template"]["data"], "DATABASE_CA");
        }),
        "DATABASE_URL names /run/secrets/stoa/DATABASE_CA, which is not there",
    ),
    (
        "no store answers in plain",
        ("RabbitmqCluster", "rabbitmq", |o| {
            o["spec"]["tls"]["disableNonTLSListeners"] = json!(false);
        }),
        "listens in plain",
    ),
    (
        "no store answers in plain",
        ("Certificate", "rabbitmq-tls", |o| o["spec"]["dnsNames"] = json!(["broker"])),
        "no certificate for its name",
    ),
    (
        "no store answers in plain",
        ("Cluster", "orders-postgres", |o| remove(&mut o["spec"]["postgresql"], "pg_hba")),
        "lets plain connections in",
    ),
    (
        "no store answers in plain",
        ("StatefulSet", "cart-redis", |o| {
            let args = container(o)["args"].as_array_mut().unwrap();
            let at = args.iter().position(|arg| arg == "--port").unwrap();
            args[at + 1] = json!("6379");
        }),
        "StatefulSet stoa-data/cart-redis listens in plain",
    ),
    (
        "every database of which there are several is backed up elsewhere",
        ("Cluster", "orders-postgres", |o| remove(&mut o["spec"], "backup")),
        "goes to no bucket",
    ),
    (
        "every database of which there are several is backed up elsewhere",
        ("ScheduledBackup", "orders-postgres", |o| {
            o["spec"]["cluster"]["name"] = json!("order-postgres");
        }),
        "Cluster stoa-data/orders-postgres: nothing makes whole copies of it",
    ),
    (
        "what is read from another namespace is made there, and its reader may read it",
        ("Role", "orders-secrets", |o| {
            o["rules"][0]["resourceNames"].as_array_mut().unwrap().remove(0);
        }),
        "orders may not read stoa-data/orders-postgres-app",
    ),
    (
        "what is read from another namespace is made there, and its reader may read it",
        ("ExternalSecret", "store-authorities", |o| {
            o["spec"]["data"][0]["secretKey"] = json!("broker.pem");
        }),
        "nobody makes stores.pem of stoa-data/store-authorities",
    ),
    (
        "the way to every host that a pod is told of is open at both ends",
        ("NetworkPolicy", "rabbitmq", |o| {
            o["spec"]["ingress"][0]["ports"][0]["port"] = json!(5672);
        }),
        "Deployment stoa/orders: is not let in to RabbitmqCluster stoa-data/rabbitmq at 5671",
    ),
];

fn pod(object: &mut Value) -> &mut Value {
    &mut object["spec"]["template"]["spec"]
}

fn container(object: &mut Value) -> &mut Value {
    &mut pod(object)["containers"][0]
}

fn remove(object: &mut Value, field: &str) {
    object.as_object_mut().unwrap().remove(field).unwrap();
}

/// In the text that a secret is made after.
fn replace(object: &mut Value, key: &str, from: &str, to: &str) {
    let made = &mut object["spec"]["target"]["template"]["data"][key];
    let text = made.as_str().unwrap();
    assert!(text.contains(from), "{text}");
    *made = json!(text.replace(from, to));
}

fn setting(object: &mut Value, name: &str, value: &str) {
    let all = container(object)["env"].as_array_mut().unwrap();
    all.iter_mut().find(|setting| setting["name"] == name).unwrap()["value"] = json!(value);
}

#[test]
fn every_rule_refuses_what_breaks_it() {
    let checks = manifests::all();
    let mut tried = BTreeSet::new();
    let mut broken = 0;
    for (name, table) in [("production", TABLE), ("self-hosted", HOSTED)] {
        let whole = overlay(name);
        for (rule, (kind, name, how), said) in table {
            let mut objects = whole.clone();
            let object = objects.iter_mut().find(|o| {
                o["kind"] == *kind
                    && o["metadata"]["name"] == *name
                    && (*name != "default-deny" || o["metadata"]["namespace"] == "stoa")
            });
            how(object.unwrap_or_else(|| panic!("there is no {kind} {name}")));
            let check = checks.iter().find(|check| check.rule == *rule);
            let check = check.unwrap_or_else(|| panic!("there is no rule {rule:?}"));
            let found = (check.run)(&Objects::new(objects));
            assert!(found.iter().any(|why| why.contains(said)), "{rule}: {said}: {found:?}");
            tried.insert(*rule);
            broken += 1;
        }
    }
    let all: BTreeSet<&str> = checks.iter().map(|check| check.rule).collect();
    assert_eq!(tried, all, "a rule that nothing breaks");
    println!("{} rules refuse {broken} broken installations", all.len());
}
