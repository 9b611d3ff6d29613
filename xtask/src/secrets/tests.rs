//! A scan that finds nothing must be able to find something. What is planted is put
//! together here, so that this file does not hold it.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use super::*;

fn found_in(files: &[(&str, String)]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
        names.extend_from_slice(name.as_bytes());
        names.push(0);
    }
    scan(root, dir.path(), &names).unwrap()
}

fn jwt() -> String {
    // Base64url of {"alg":"none"} and {"sub":"someone"}.
    ["eyJhbGciOiJub25lIn0", "eyJzdWIiOiJzb21lb25lIn0", "c2lnbmF0dXJlLW9mLW5vYm9keQ"].join(".")
}

#[test]
fn a_planted_secret_is_found_in_its_line() {
    let key = format!("-----BEGIN {} KEY-----\nMC4CAQAwBQYDK2Vw\n", "PRIVATE");
    let planted = [
        ("key.pem", key, 1, "Private Key"),
        ("aws.rs", format!("\nlet id = \"AKIA{}\";\n", "Z7QXN3T5WK2MVB4R"), 2, "AWS Access Key"),
        ("token.md", format!("a token:\n\n{}\n", jwt()), 3, "JSON Web Token"),
        ("store.yaml", format!("url: {}s3cr3t@db/orders\n", "postgres://orders:"), 1, "Basic Auth"),
        (
            "near.env",
            format!("{}s3cr3t@127.0.0.1.example.com\n", "redis://default:"),
            1,
            "Basic Auth",
        ),
        ("stripe.env", format!("KEY=sk_{}_{}\n", "live", "4eC39HqLyjWDarjtT1zdp7dc"), 1, "Stripe"),
        ("github.txt", format!("ghp_{}\n", "a1B2c3D4e5".repeat(4).get(..36).unwrap()), 1, "GitHub"),
    ];
    let files: Vec<_> = planted.iter().map(|(name, text, ..)| (*name, text.clone())).collect();
    let found = found_in(&files);
    for (name, _, line, kind) in &planted {
        let told = found.lines().any(|l| l.starts_with(&format!("{name}:{line}: {kind}")));
        assert!(told, "{kind} is not found in {name}:\n{found}");
    }
    assert!(!found.contains("s3cr3t"), "the scan shows a secret:\n{found}");
}

#[test]
fn what_only_looks_like_a_secret_is_not_found() {
    let look_alikes = [
        ("url.rs", "format!(\"postgres://{name}:{password}@127.0.0.1\")".to_owned()),
        (
            "url.md",
            "amqp://$USER:${PASSWORD}@broker and redis://default:<password>@cache".to_owned(),
        ),
        ("here.rs", format!("{}guest@127.0.0.1:5672/%2f", "amqp://guest:")),
        ("mail.md", "https://example.com:8080/a@b and user@example.com:/path".to_owned()),
        ("hash.txt", format!("{}\n", "0a1b2c3d4e5f6789".repeat(4))),
        ("certificate.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n".to_owned()),
        ("said.rs", format!("let token = \"{}\"; // pragma: allowlist secret", jwt())),
    ];
    assert_eq!(found_in(&look_alikes), "");
}
