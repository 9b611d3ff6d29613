//! Real children, real signals.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::watchdog::Watchdog;

fn layout() -> (tempfile::TempDir, Layout) {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::new(dir.path()).unwrap();
    layout.prepare().unwrap();
    (dir, layout)
}

fn shell(name: &str, script: &str) -> Spec {
    Spec::new(name, Phase::Service, "/bin/sh").args(["-c", script])
}

fn wait_for_log(layout: &Layout, name: &str, expected: &str) {
    until(&format!("{name} wrote {expected:?}"), || {
        fs::read_to_string(layout.log(name)).unwrap_or_default().contains(expected)
    });
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "never so: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_child_that_ignores_sigterm_is_killed_with_its_group() {
    let (_dir, layout) = layout();
    let script = "trap '' TERM; sleep 100 & echo inner $!; wait";
    let (mut child, record) = shell("deaf", script).spawn(&layout).unwrap();
    wait_for_log(&layout, "deaf", "\n");
    let log = fs::read_to_string(layout.log("deaf")).unwrap();
    let inner: i32 = log.trim().strip_prefix("inner ").unwrap().parse().unwrap();
    stop(std::slice::from_ref(&record), Duration::from_millis(100));
    assert!(!record.is_alive());
    until("the group is gone", || start_time(inner).is_none());
    use std::os::unix::process::ExitStatusExt as _;
    assert_eq!(child.wait().unwrap().signal(), Some(9));
}

#[test]
fn a_child_that_obeys_ends_in_its_own_way() {
    let (_dir, layout) = layout();
    let spec =
        shell("kind", "trap 'echo bye; exit 7' INT; echo ready; while :; do sleep 0.05; done");
    let (mut child, record) = spec.stop_by(Signal::INT).spawn(&layout).unwrap();
    wait_for_log(&layout, "kind", "ready");
    stop(&[record], Duration::from_secs(10));
    assert_eq!(child.wait().unwrap().code(), Some(7));
    wait_for_log(&layout, "kind", "bye");
}

#[test]
fn a_recycled_process_id_is_left_alone() {
    let (_dir, layout) = layout();
    let (mut child, record) = shell("innocent", "sleep 100").spawn(&layout).unwrap();
    let stale = Record { started: record.started - 1, ..record.clone() };
    assert!(!stale.is_alive());
    stop(std::slice::from_ref(&stale), Duration::from_millis(50));
    stale.kill();
    assert!(record.is_alive());
    record.kill();
    child.wait().unwrap();
}

#[test]
fn a_record_survives_its_file() {
    let (_dir, layout) = layout();
    let (mut child, record) =
        shell("known", "sleep 100").stop_by(Signal::INT).spawn(&layout).unwrap();
    let read = running(&layout);
    assert_eq!(read.len(), 1);
    assert_eq!(format!("{:?}", read[0]), format!("{record:?}"));
    record.kill();
    child.wait().unwrap();
    assert!(running(&layout).is_empty());
}

#[test]
fn a_child_sees_no_foreign_environment() {
    let (_dir, layout) = layout();
    let spec = shell("clean", "env; echo end").env("GIVEN", "yes");
    spec.spawn(&layout).unwrap().0.wait().unwrap();
    let log = fs::read_to_string(layout.log("clean")).unwrap();
    assert!(log.contains("GIVEN=yes") && !log.contains("CARGO"), "{log}");
}

#[test]
fn the_watchdog_ends_what_a_dead_owner_left() {
    let (_dir, layout) = layout();
    let watchdog = Watchdog::start(&layout).unwrap();
    let (mut child, record) = shell("left", "sleep 100").spawn(&layout).unwrap();
    drop(watchdog);
    until("the process has ended", || !record.is_alive());
    child.wait().unwrap();
    until("the record is gone", || recorded(&layout).is_empty());
}

#[test]
fn a_dismissed_watchdog_does_nothing() {
    let (_dir, layout) = layout();
    let watchdog = Watchdog::start(&layout).unwrap();
    let (mut child, record) = shell("kept", "sleep 100").spawn(&layout).unwrap();
    watchdog.dismiss();
    assert!(record.is_alive());
    record.kill();
    child.wait().unwrap();
}
