//! `gen`: brings the generated files and the contract together.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::client;

#[derive(Args)]
pub struct Arguments {
    /// Change nothing; name the files that differ and fail if there are any.
    #[arg(long)]
    check: bool,
}

impl Arguments {
    pub fn run(&self, root: &Path) -> Result<()> {
        let files = contract::generate(root)?;
        let mut different = 0;
        for file in &files {
            let path = root.join(&file.path);
            if fs::read(&path).is_ok_and(|contents| contents == file.contents) {
                continue;
            }
            different += 1;
            println!("{}", file.path.display());
            if !self.check {
                if let Some(dir) = path.parent() {
                    fs::create_dir_all(dir)?;
                }
                fs::write(&path, &file.contents)
                    .with_context(|| format!("cannot write {}", path.display()))?;
            }
        }
        different += usize::from(client::differs(root, self.check)?);
        match (self.check, different) {
            (_, 0) => println!("all {} generated files are up to date", files.len() + 1),
            (true, _) => bail!("{different} generated files differ; run `make gen`"),
            (false, _) => println!("{different} of {} generated files written", files.len() + 1),
        }
        Ok(())
    }
}
