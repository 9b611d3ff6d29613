//! `contract-review`, `contract-release` and the gate in `lint`: what a change of the
//! contract means, and whether it may be made.

mod base;
mod breaking;
mod gate;
mod release;
#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::Result;
use clap::Args;

use base::Base;
pub use gate::check;
pub use release::Release;

#[derive(Args)]
pub struct Review {
    /// A git ref, or `released` [default: where the branch left main].
    #[arg(long)]
    base: Option<String>,
}

impl Review {
    /// Prints the pack for the reviewer, as Markdown.
    pub fn run(&self, root: &Path) -> Result<()> {
        let base = match &self.base {
            Some(name) => Base::named(root, name)?,
            None => Base::usual(root)?,
        };
        let (before, after) = (base.load(root)?, contract::load(root)?);
        let buf = crate::lint::buf(root)?;
        let wire = breaking::wire(&buf, root, &before, &after)?;
        let lines: Vec<String> = wire.iter().map(ToString::to_string).collect();
        let review = contract::review::review(&before, &after)?;
        let breaks = breaking::all(&buf, root, &before, &after)?;
        print!("{}", review.to_markdown(&base.to_string(), &lines));
        print!("{}", gate::reasons(root, &breaks)?);
        Ok(())
    }
}
