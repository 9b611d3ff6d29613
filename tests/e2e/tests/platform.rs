//! The one stack that all tests share.

use std::path::Path;
use std::sync::LazyLock;

pub use e2e::platform::{Platform, eventually};
use stack::Options;
use tokio::runtime::Runtime;
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
static PLATFORM: OnceCell<RwLock<Platform>> = OnceCell::const_new();

/// Runs a test beside others.
pub fn with_platform<F>(test: impl FnOnce(RwLockReadGuard<'static, Platform>) -> F)
where
    F: Future<Output = ()>,
{
    RUNTIME.block_on(async { test(platform().await.read().await).await });
}

/// Runs a test alone: it ends processes that others need.
pub fn alone_on_platform<F>(test: impl FnOnce(RwLockWriteGuard<'static, Platform>) -> F)
where
    F: Future<Output = ()>,
{
    RUNTIME.block_on(async { test(platform().await.write().await).await });
}

async fn platform() -> &'static RwLock<Platform> {
    PLATFORM
        .get_or_init(|| async {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize();
            let root = root.expect("the checkout");
            let mut options = Options::private(&root, "e2e").expect("a place for the stack");
            // A crash is noticed when the lease of the dead process is over.
            let lease = ["orders", "SAGA_LEASE_MS", "5000"].map(str::to_owned);
            options.settings.push(lease.into());
            for (process, name, value) in [
                // A rotation of keys takes seconds.
                ("edge", "JWKS_CACHE_SECONDS", "2"),
                ("identity", "KEY_LEAD_SECONDS", "8"),
                ("identity", "KEY_POLL_SECONDS", "1"),
                ("identity", "ERASE_AFTER_SECONDS", "2"),
            ] {
                let setting = [process, name, value].map(str::to_owned);
                options.settings.push(setting.into());
            }
            RwLock::new(Platform::start(options).await)
        })
        .await
}
