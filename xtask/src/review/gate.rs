//! The gate: what breaks somebody needs a reason in `proto/breaking-approved.yaml`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use contract::release;
use contract::review::{Approval, Approvals, Break};

use super::base::Base;
use super::breaking;

/// Breaks since the last release that were made on purpose.
pub const APPROVED: &str = "proto/breaking-approved.yaml";

/// Fails when the working tree breaks its base without an approval.
pub fn check(buf: &Path, root: &Path) -> Result<()> {
    let released = release::read(root)?;
    let base = Base::usual(root)?;
    println!("contract compared with {base}");
    let after = contract::load(root)?;
    let mut breaks = breaking::all(buf, root, &base.load(root)?, &after)?;
    let listed = approvals(root)?;
    let mut all = listed.clone();
    if let Some(released) = released {
        // A release in the same change has taken the entries over.
        all.0.extend(released.breaks);
        passes(&all, &breaks)?;
        breaks.extend(breaking::all(buf, root, &released.contract, &after)?);
    } else {
        passes(&all, &breaks)?;
    }
    match no_stale(&listed, &breaks) {
        Err(error) if base.is_released() => return Err(error),
        Err(error) => println!("note: {error:#}"),
        Ok(()) => {}
    }
    println!("nothing breaks without an approval");
    Ok(())
}

/// The entries of the checkout.
pub fn approvals(root: &Path) -> Result<Approvals> {
    let text = fs::read_to_string(root.join(APPROVED)).unwrap_or_default();
    Approvals::parse(&text).context(APPROVED)
}

/// Every break is approved, or the failure shows what to add.
pub fn passes(approvals: &Approvals, breaks: &[Break]) -> Result<()> {
    let missing = approvals.missing(breaks);
    if missing.is_empty() {
        return Ok(());
    }
    let entries: String = missing.iter().map(|b| b.entry()).collect();
    bail!(
        "{} breaking changes of the contract without an approval; take them back, or add to \
         {APPROVED} with a reason and who approved it (docs/contract/reviewing.md):\n\n{entries}",
        missing.len()
    )
}

/// Every entry approves something.
pub fn no_stale(approvals: &Approvals, breaks: &[Break]) -> Result<()> {
    let stale = approvals.stale(breaks);
    if stale.is_empty() {
        return Ok(());
    }
    let line = |a: &&Approval| format!("  {} {}: {}\n", a.rule, a.element, a.now);
    let lines: String = stale.iter().map(line).collect();
    bail!("entries of {APPROVED} approve nothing; remove them:\n{lines}")
}
