//! The sources inside a package of typed bindings: each file of JavaScript carries, as its
//! source map, the TypeScript that it was made from.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;

use crate::bindings::{Bindings, Patterns};

const MAP: &str = "sourceMappingURL=data:application/json;base64,";

/// Everything that the package, a compressed archive, tells.
///
/// # Errors
///
/// When it is no such archive, or a source map is none.
pub fn read(archive: &Path) -> Result<Bindings> {
    let file = File::open(archive).with_context(|| format!("{}", archive.display()))?;
    let mut tar = tar::Archive::new(GzDecoder::new(BufReader::new(file)));
    let patterns = Patterns::new()?;
    let mut bindings = Bindings::default();
    for entry in tar.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if path.extension().is_none_or(|extension| extension != "js") {
            continue;
        }
        let mut text = String::new();
        entry.read_to_string(&mut text)?;
        for source in sources(&text).with_context(|| format!("{}", path.display()))? {
            bindings.read(&source, &patterns);
        }
    }
    Ok(bindings)
}

/// What the file was made from; nothing where it does not say.
fn sources(script: &str) -> Result<Vec<String>> {
    let Some(at) = script.rfind(MAP) else { return Ok(Vec::new()) };
    let map = BASE64_STANDARD.decode(script[at + MAP.len()..].trim())?;
    let mut map: serde_json::Value = serde_json::from_slice(&map)?;
    Ok(serde_json::from_value(map["sourcesContent"].take())?)
}
