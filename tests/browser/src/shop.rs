//! A platform that is watched: console, Prometheus, prober.

use std::path::{Path, PathBuf};

use e2e::platform::Platform;
use stack::Options;

/// The checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the checkout")
}

/// Starts it, under `.stoa/<name>`; the page's files are those of the checkout.
pub async fn start(name: &str) -> Platform {
    let root = root();
    let mut options = Options::private(&root, name).expect("a place for the stack");
    options.console = true;
    options.observe = true;
    let page = root.join("services/console/page").display().to_string();
    options.settings.push(["console", "PAGE_DIR", &page].map(str::to_owned).into());
    Platform::start(options).await
}
