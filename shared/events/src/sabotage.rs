//! Broken on purpose, in builds with the feature `sabotage` and only when the
//! environment says `SABOTAGE=skip-inbox`: whoever tests the whole platform can prove
//! that a consumer without an inbox would be caught.

use std::sync::LazyLock;

#[allow(clippy::disallowed_methods, reason = "no setting: it must not show among them")]
static SKIPS_INBOX: LazyLock<bool> = LazyLock::new(|| {
    let skips = std::env::var("SABOTAGE").is_ok_and(|what| what == "skip-inbox");
    if skips {
        tracing::error!("SABOTAGED BUILD: facts take effect as often as they are delivered");
    }
    skips
});

/// Whether consumers neither look into the inbox nor write to it.
pub fn skips_inbox() -> bool {
    *SKIPS_INBOX
}
