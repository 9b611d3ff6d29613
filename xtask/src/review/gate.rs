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
    let base = Base::usual(root)?;
    println!("contract compared with {base}");
    let after = contract::load(root)?;
    let mut breaks = breaking::all(buf, root, &base.load(root)?, &after)?;
    passes(&all_approvals(root)?, &breaks)?;
    if let Some(released) = release::read(root)? {
        breaks.extend(breaking::all(buf, root, &released.contract, &after)?);
    }
    match no_stale(&approvals(root)?, &breaks) {
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

/// With those of the last release, which may be part of the same change and has then
/// taken the entries over.
fn all_approvals(root: &Path) -> Result<Approvals> {
    let mut all = approvals(root)?;
    all.0.extend(release::read(root)?.map(|r| r.breaks).unwrap_or_default());
    Ok(all)
}

/// Each break with its reason, as Markdown.
pub fn reasons(root: &Path, breaks: &[Break]) -> Result<String> {
    let approvals = all_approvals(root)?;
    let mut text = "\n## Approvals\n\n".to_owned();
    if breaks.is_empty() {
        text.push_str("None is needed.\n");
    }
    for found in breaks {
        let Break { rule, element, now } = found;
        let reason = match approvals.of(found) {
            Some(Approval { reason, approved, .. }) => format!("{reason} ({approved})"),
            None => format!("**not approved**: {APPROVED} has no entry for it"),
        };
        text.push_str(&format!("- {rule} {element}: {now} — {reason}\n"));
    }
    Ok(text)
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
         {APPROVED} with a reason and who approved it (docs/contract-review.md):\n\n{entries}",
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
