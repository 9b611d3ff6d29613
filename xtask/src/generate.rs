//! `gen`: brings the generated files and the contract together.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use contract::File;
use contract::drift::{self, Difference, What};

use crate::client;

#[derive(Args)]
pub struct Arguments {
    /// Change nothing; name what differs, file, line and method, and fail if anything does.
    #[arg(long)]
    check: bool,
}

impl Arguments {
    pub fn run(&self, root: &Path) -> Result<()> {
        let contract = contract::load(root)?;
        let files = contract::generate_from(&contract)?;
        let differences = drift::find(root, &contract, &files)?;
        for difference in &differences {
            println!("{difference}");
        }
        if !self.check {
            write(root, &files, &differences)?;
        }
        // Made from a file that is generated itself: not before that is written.
        let client = client::differs(root, self.check)?;
        let paths: BTreeSet<_> = differences.iter().map(|d| &d.path).collect();
        match (self.check, paths.len() + usize::from(client)) {
            (_, 0) => println!("all generated files are up to date"),
            (true, files) => bail!("{files} files are not what the contract says; run `make gen`"),
            (false, files) => println!("{files} files brought up to date"),
        }
        Ok(())
    }
}

fn write(root: &Path, files: &[File], differences: &[Difference]) -> Result<()> {
    let different = |file: &File| differences.iter().any(|d| d.path == file.path);
    for file in files.iter().filter(|file| different(file)) {
        let path = root.join(&file.path);
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        fs::write(&path, &file.contents)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    match differences.iter().find(|d| d.what == What::Stray) {
        Some(stray) => bail!("{stray}: remove it, or move it elsewhere"),
        None => Ok(()),
    }
}
