//! The viewer of the API's document: Swagger UI, served from this machine.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::layout::Layout;
use crate::npm;
use crate::progress::Progress;

/// Pinned. No dependency runs anything of it but the browser.
const PACKAGE: &str = "swagger-ui-dist@5.35.0";

/// What the page needs of the package; the rest has no business on a server.
const FILES: [&str; 5] = [
    "swagger-ui-bundle.js",
    "swagger-ui-bundle.js.LICENSE.txt",
    "swagger-ui.css",
    "LICENSE",
    "NOTICE",
];

/// Where the files lie.
pub(crate) fn dir(layout: &Layout) -> PathBuf {
    layout.path("viewer")
}

/// Puts the files there.
pub(crate) fn install(layout: &Layout, progress: &mut dyn Progress) -> Result<()> {
    let package = npm::install(&[PACKAGE], layout, progress)?.join("node_modules/swagger-ui-dist");
    fs::create_dir_all(dir(layout))?;
    for file in FILES {
        let (from, to) = (package.join(file), dir(layout).join(file));
        fs::copy(&from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}
