//! A Terraform provider for machines that cannot reach the registry (tools/terraform-schema).

use std::path::Path;

use anyhow::Result;
use stack::{Layout, Terminal};
use terraform_schema::mirror::{GOOGLE, mirror as make};

/// Prints the directory, and nothing else, on standard output.
pub fn mirror(root: &Path) -> Result<()> {
    let layout = Layout::new(&root.join(".stoa/lint"))?;
    let program = std::env::current_exe()?;
    println!("{}", make(GOOGLE, &program, &layout, &mut Terminal)?.display());
    Ok(())
}
