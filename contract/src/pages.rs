//! Pages for people: the call graph, the events, the methods.

use anyhow::Result;

use crate::File;
use crate::model::Contract;

pub(crate) fn files(_contract: &Contract) -> Result<Vec<File>> {
    Ok(Vec::new())
}
