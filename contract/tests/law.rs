//! What is no contract at all: the compiler refuses it and names the element.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

/// The error of the real contract with one text of `file` replaced.
fn refusal(file: &str, from: &str, to: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let changed = tempfile::tempdir().unwrap();
    for tree in ["proto/stoa", "third_party/proto"] {
        copy(&root.join(tree), &changed.path().join(tree));
    }
    let path = changed.path().join("proto/stoa").join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    format!("{:#}", contract::load(changed.path()).err().expect("refused"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_method_without_a_policy_fails_the_build() {
    let service = "service CartService {\n";
    let more = format!("{service}  rpc PeekCart(GetCartRequest) returns (Cart);\n");
    let error = refusal("cart/v1/cart.proto", service, &more);
    assert!(error.contains("/stoa.cart.v1.CartService/PeekCart"), "{error}");
    assert!(error.contains("stoa.policy.v1.method"), "{error}");
}

#[test]
fn a_permission_that_no_role_holds_fails_the_build() {
    let error = refusal("cart/v1/cart.proto", "\"cart:write\"", "\"cart:wirte\"");
    assert!(error.contains("no role holds cart:wirte"), "{error}");
}

#[test]
fn a_resource_is_seen_by_holders_of_a_real_permission_and_only_if_it_has_an_owner() {
    let seen_by = "seen_by: \"payments:refund\"";
    let error = refusal("payments/v1/payments.proto", seen_by, "seen_by: \"payments:see\"");
    assert!(error.contains("GetPaymentRequest.payment_id"), "{error}");
    assert!(error.contains("payments:see, which no role holds"), "{error}");
    let error = refusal("payments/v1/payments.proto", "owned: true\n      seen_by", "seen_by");
    assert!(error.contains("but nobody owns it"), "{error}");
}
