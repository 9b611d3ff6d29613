#![allow(clippy::unwrap_used)]

use std::path::Path;

use tempfile::TempDir;

use super::*;

/// A repository; each commit changes one file.
struct Repository(TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
        git(self.root(), &[&who[..], &["-c", "commit.gpgsign=false"], arguments].concat()).unwrap()
    }

    fn commit(&self, file: &str) -> String {
        let path = self.root().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, self.git(&["rev-list", "--count", "--all"])).unwrap();
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "-m", file]);
        self.git(&["rev-parse", "HEAD"])
    }
}

#[test]
fn the_release_before_is_the_newest_tag_that_is_not_this_commit() {
    let repository = Repository::new();
    for tag in ["v0.9", "v0.10", "v0.11"] {
        repository.commit("README.md");
        repository.git(&["tag", tag]);
    }
    let tenth = repository.git(&["rev-parse", "v0.10"]);
    assert_eq!(before(repository.root(), None).unwrap(), tenth);
    let ninth = repository.git(&["rev-parse", "v0.9"]);
    assert_eq!(before(repository.root(), Some("v0.9")).unwrap(), ninth);
}

#[test]
fn without_a_tag_it_is_the_commit_before_the_newest_unreleased_migration() {
    let repository = Repository::new();
    repository.commit("services/orders/migrations/0001_orders.sql");
    let released = repository.commit("proto/released/schema.json");
    assert_ne!(before(repository.root(), None).unwrap(), released, "nothing is newer");
    repository.commit("services/orders/migrations/0002_note.sql");
    repository.commit("README.md");
    assert_eq!(before(repository.root(), None).unwrap(), released);
}

#[test]
fn without_a_newer_migration_it_is_the_commit_before() {
    let repository = Repository::new();
    repository.commit("services/orders/migrations/0001_orders.sql");
    repository.commit("proto/released/schema.json");
    let last = repository.commit("README.md");
    repository.commit("README.md");
    assert_eq!(before(repository.root(), None).unwrap(), last);
}

#[test]
fn a_commit_that_nobody_knows_and_a_first_one_are_refused() {
    let repository = Repository::new();
    repository.commit("README.md");
    let error = before(repository.root(), Some("v7")).unwrap_err();
    assert!(error.to_string().contains("Git knows no commit v7"), "{error}");
    let error = before(repository.root(), None).unwrap_err();
    assert!(error.to_string().contains("nothing came before"), "{error}");
}

#[test]
fn a_shallow_clone_says_that_it_is_one() {
    let repository = Repository::new();
    repository.commit("README.md");
    repository.commit("README.md");
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", repository.root().display());
    git(clone.path(), &["clone", "--quiet", "--depth=1", &url, "."]).unwrap();
    for base in [None, Some("v0.1")] {
        let error = before(clone.path(), base).unwrap_err().to_string();
        assert!(error.contains("shallow clone") && error.contains("--unshallow"), "{error}");
    }
}
