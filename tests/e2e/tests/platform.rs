//! The one stack that all tests share.

use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use stack::{Options, Quiet, Stack};
use tokio::runtime::Runtime;
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::client::{Admin, Client};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
static PLATFORM: OnceCell<RwLock<Platform>> = OnceCell::const_new();

/// The running stack and its administrator.
pub struct Platform {
    pub stack: Stack,
    pub admin: Admin,
}

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
            RwLock::new(Platform::start(options).await)
        })
        .await
}

impl Platform {
    /// Starts a stack of its own, without limits of rates.
    pub async fn start(options: Options) -> Self {
        let stack = Stack::start(options, &mut Quiet).await.expect("the whole platform starts");
        stack.limit_rates(false).await.expect("Envoy's admin port answers");
        let anonymous = Client::new(&stack.edge_url());
        let password = stack.admin_password().expect("the administrator has a password");
        let admin = Admin::sign_in(anonymous, stack.admin_email(), &password).await;
        Self { stack, admin }
    }

    /// Somebody who is not signed in.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.stack.edge_url())
    }

    /// Waits until a service says that it is ready.
    pub async fn ready(&self, service: &str) {
        let url = format!("{}/readyz", self.stack.service_admin_url(service));
        eventually(&format!("{service} is ready"), async || {
            let answer = reqwest::get(&url).await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// The mail that was handed over to an address, whole messages.
    pub fn mail_to(&self, address: &str) -> Vec<String> {
        let dir = self.stack.mail_dir().join("new");
        let files = std::fs::read_dir(dir).expect("the mail directory");
        let texts = files.filter_map(|f| std::fs::read_to_string(f.ok()?.path()).ok());
        texts
            .filter(|text| {
                text.contains(&format!("To: {address}")) || text.contains(&format!("<{address}>"))
            })
            .collect()
    }
}

/// Waits until `probe` answers, and fails naming what was expected.
pub async fn eventually<T>(expected: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(
            Instant::now() < deadline,
            "expected within 30 s: {expected} (logs: .stoa/e2e/log)"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
