//! The one platform that is attacked, and whether it came through.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use e2e::platform::Platform;
use stack::Options;
use tokio::runtime::Runtime;
use tokio::sync::{OnceCell, RwLock};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
static ARENA: OnceCell<Arena> = OnceCell::const_new();

/// The platform, and what it was before anybody attacked it.
struct Arena {
    platform: Platform,
    pids: BTreeMap<String, i32>,
    /// Held for writing while rates are limited.
    unlimited: RwLock<()>,
}

/// Attacks while rates are not limited, beside other tests.
pub fn attack(test: impl AsyncFnOnce(&'static Platform)) {
    RUNTIME.block_on(async {
        let arena = arena().await;
        let unlimited = arena.unlimited.read().await;
        test(&arena.platform).await;
        drop(unlimited);
        arena.is_unharmed();
    });
}

/// Attacks with patience: so few requests that limits do not matter.
pub fn attack_slowly(test: impl AsyncFnOnce(&'static Platform)) {
    RUNTIME.block_on(async {
        let arena = arena().await;
        test(&arena.platform).await;
        arena.is_unharmed();
    });
}

/// Attacks alone, while rates are limited as in production.
pub fn attack_within_limits(test: impl AsyncFnOnce(&'static Platform)) {
    RUNTIME.block_on(async {
        let arena = arena().await;
        let _alone = arena.unlimited.write().await;
        arena.platform.stack.limit_rates(true).await.expect("limits");
        test(&arena.platform).await;
        arena.platform.stack.limit_rates(false).await.expect("no limits");
        arena.is_unharmed();
    });
}

async fn arena() -> &'static Arena {
    ARENA
        .get_or_init(|| async {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize();
            let options = Options::private(&root.expect("the checkout"), "security");
            let platform = Platform::start(options.expect("a place for the stack")).await;
            let pids = pids(&platform);
            Arena { platform, pids, unlimited: RwLock::default() }
        })
        .await
}

fn pids(platform: &Platform) -> BTreeMap<String, i32> {
    let stack = &platform.stack;
    let running = stack.names().into_iter().filter_map(|name| Some((stack.pid_of(&name)?, name)));
    running.map(|(pid, name)| (name, pid)).collect()
}

impl Arena {
    /// Envoy and every service are the processes that they were, and nobody panicked.
    fn is_unharmed(&self) {
        assert_eq!(pids(&self.platform), self.pids, "a process died");
        for name in self.pids.keys() {
            let log = std::fs::read(self.platform.stack.log_of(name)).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let panic = log.lines().find(|line| line.contains("panicked at"));
            assert!(panic.is_none(), "{name} panicked: {panic:?}");
        }
    }
}
