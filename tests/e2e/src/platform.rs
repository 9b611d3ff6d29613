//! A running platform of its own, and who administers it.

use std::time::{Duration, Instant};

use stack::{Options, Quiet, Stack};

use crate::client::{Admin, Client};

/// The running stack and its administrator.
pub struct Platform {
    pub stack: Stack,
    pub admin: Admin,
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
            "expected within 30 s: {expected} (logs: .stoa/<name>/log)"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
