//! The gate on checkouts of its own, with the real buf and the real git.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::base::Base;
use super::{gate, release};

/// A checkout with the house's contract, committed on `main`.
struct Checkout {
    dir: TempDir,
    buf: PathBuf,
}

fn house() -> PathBuf {
    crate::root().unwrap()
}

fn run(dir: &Path, program: &str, arguments: &[&str]) {
    let mut command = Command::new(program);
    command.current_dir(dir).args(arguments);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
}

impl Checkout {
    /// Without history.
    fn bare() -> Self {
        let (dir, buf) = (TempDir::new().unwrap(), crate::lint::buf(&house()).unwrap());
        let from = |path: &str| house().join(path).display().to_string();
        std::fs::create_dir_all(dir.path().join("proto")).unwrap();
        run(dir.path(), "cp", &["-r", &from("proto/stoa"), "proto/stoa"]);
        run(dir.path(), "cp", &["-r", &from("third_party"), "third_party"]);
        run(dir.path(), "cp", &[&from("buf.yaml"), "buf.yaml"]);
        Self { dir, buf }
    }

    fn new() -> Self {
        let checkout = Self::bare();
        checkout.git(&["init", "--quiet", "--initial-branch", "main"]);
        checkout.git(&["config", "user.name", "Ada"]);
        checkout.git(&["config", "user.email", "ada@example.com"]);
        checkout.git(&["config", "commit.gpgsign", "false"]);
        checkout.commit();
        checkout
    }

    fn root(&self) -> &Path {
        self.dir.path()
    }

    fn git(&self, arguments: &[&str]) {
        run(self.root(), "git", arguments);
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "a step"]);
    }

    /// Behind an anchor, the first of one text becomes another.
    fn edit(&self, file: &str, anchor: &str, old: &str, new: &str) {
        let path = self.root().join("proto/stoa").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, after) = text.split_once(anchor).unwrap();
        assert!(after.contains(old), "{file}: no {old:?} behind {anchor:?}");
        let text = format!("{before}{anchor}{}", after.replacen(old, new, 1));
        std::fs::write(path, text).unwrap();
    }

    fn check(&self) -> anyhow::Result<()> {
        gate::check(&self.buf, self.root())
    }

    /// What the gate asks for.
    fn asked(&self) -> String {
        let error = self.check().expect_err("the gate is shut").to_string();
        error.split_once("\n\n").unwrap_or_else(|| panic!("{error}")).1.to_owned()
    }

    /// Writes the entries that the gate asks for, completed.
    fn approve(&self, entries: &str) {
        let entries = entries.replace("reason: ", "reason: nobody sends it any more");
        let entries = entries.replace("approved: ", "approved: Ada, 2026-11-21");
        std::fs::write(self.root().join(gate::APPROVED), entries).unwrap();
    }

    fn approved(&self) -> String {
        std::fs::read_to_string(self.root().join(gate::APPROVED)).unwrap()
    }
}

/// The gate is shut without an entry, and open with the one that it asked for.
fn needs_an_approval(file: &str, anchor: &str, old: &str, new: &str, expected: &[&str]) {
    let checkout = Checkout::new();
    checkout.commit();
    checkout.check().unwrap();
    checkout.edit(file, anchor, old, new);
    let asked = checkout.asked();
    for part in expected {
        assert!(asked.contains(part), "{part}\n{asked}");
    }
    checkout.approve(&asked);
    checkout.check().unwrap();
}

#[test]
fn a_removed_field_needs_an_approval() {
    let expected = ["FIELD_NO_DELETE", "stoa/orders/v1/events.proto", r#"with name \"reason\""#];
    let (file, anchor) = ("orders/v1/events.proto", "message OrderFailed");
    needs_an_approval(file, anchor, "string reason = 3;", "", &expected);
}

#[test]
fn a_changed_type_needs_an_approval_of_what_it_is_now() {
    let expected = ["FIELD_SAME_TYPE", r#"changed type to \"int32\""#];
    let (file, anchor) = ("orders/v1/events.proto", "message OrderFailed");
    needs_an_approval(file, anchor, "string reason = 3;", "int32 reason = 3;", &expected);
}

#[test]
fn a_moved_rest_path_needs_an_approval() {
    let now = r#"now: "REST is POST /v1/orders/{order_id}:revoke (body *)""#;
    let expected = ["rule: REST_CHANGED", "stoa.orders.v1.OrderService/CancelOrder", now];
    let (file, anchor) = ("orders/v1/orders.proto", "rpc CancelOrder(");
    needs_an_approval(file, anchor, "}:cancel", "}:revoke", &expected);
}

#[test]
fn a_tightened_length_needs_an_approval() {
    let expected = ["rule: CONSTRAINT_TIGHTENED", r#"now: "string.max_len is 20""#];
    let (file, anchor) = ("catalog/v1/catalog.proto", "message ListProductsRequest");
    needs_an_approval(file, anchor, "max_len: 200", "max_len: 20", &expected);
}

#[test]
fn the_base_is_where_the_branch_left_main_and_on_main_the_commit_before() {
    let checkout = Checkout::new();
    let base = || Base::usual(checkout.root()).unwrap().to_string();
    assert!(base().starts_with("the released contract: "), "{}", base());
    checkout.commit();
    assert!(base().starts_with("the commit before HEAD ("), "{}", base());
    checkout.git(&["checkout", "--quiet", "-b", "topic"]);
    checkout.commit();
    checkout.commit();
    assert!(base().starts_with("where this left main ("), "{}", base());
}

#[test]
fn an_unknown_ref_and_one_without_a_contract_are_named() {
    let checkout = Checkout::new();
    let error = |name| Base::named(checkout.root(), name).err().unwrap().to_string();
    assert_eq!(error("no-such-branch"), "git knows no no-such-branch");
    checkout.git(&["checkout", "--quiet", "--orphan", "empty"]);
    checkout.git(&["rm", "-r", "--quiet", "--cached", "."]);
    checkout.git(&["commit", "--quiet", "--allow-empty", "--message", "nothing"]);
    assert_eq!(error("empty"), "empty has no contract (proto/stoa)");
}

#[test]
fn without_history_the_release_is_the_base_and_an_entry_for_nothing_fails() {
    let checkout = Checkout::bare();
    release::publish(&checkout.buf, checkout.root(), "0.1").unwrap();
    checkout.check().unwrap();
    let edit = |old, new| checkout.edit("orders/v1/orders.proto", "rpc PlaceOrder(", old, new);
    edit("deadline_ms: 10000", "deadline_ms: 5000");
    let asked = checkout.asked();
    checkout.approve(&asked);
    checkout.check().unwrap();
    edit("deadline_ms: 5000", "deadline_ms: 10000");
    let error = checkout.check().unwrap_err().to_string();
    assert!(error.contains("approve nothing"), "{error}");
}

#[test]
fn with_history_an_entry_stays_until_the_release_takes_it_over() {
    let checkout = Checkout::new();
    release::publish(&checkout.buf, checkout.root(), "0.1").unwrap();
    checkout.commit();
    let (file, anchor) = ("orders/v1/orders.proto", "rpc PlaceOrder(");
    checkout.edit(file, anchor, "deadline_ms: 10000", "deadline_ms: 5000");
    let error = release::publish(&checkout.buf, checkout.root(), "0.2").unwrap_err().to_string();
    assert!(error.contains("DEADLINE_SHORTENED"), "{error}");
    checkout.approve(&checkout.asked());
    checkout.commit();
    checkout.commit();
    // Later commits do not break anything, and the entry is of use for the release.
    checkout.check().unwrap();

    release::publish(&checkout.buf, checkout.root(), "0.2").unwrap();
    assert!(checkout.approved().ends_with("[]\n"), "{}", checkout.approved());
    let released = contract::release::read(checkout.root()).unwrap().unwrap();
    assert_eq!((released.version.as_str(), released.breaks.len()), ("0.2", 1));
}

#[test]
fn a_release_in_the_same_change_keeps_the_gate_open() {
    let checkout = Checkout::new();
    release::publish(&checkout.buf, checkout.root(), "0.1").unwrap();
    checkout.commit();
    let (file, anchor) = ("orders/v1/events.proto", "message OrderFailed");
    checkout.edit(file, anchor, "string reason = 3;", "");
    checkout.approve(&checkout.asked());
    release::publish(&checkout.buf, checkout.root(), "0.2").unwrap();
    checkout.check().unwrap();
}
