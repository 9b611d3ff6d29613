//! The TypeScript client against the running edge.

use std::process::Command;

use stack::{Quiet, install_locked_npm};

use crate::platform::with_platform;

#[test]
fn the_typescript_client_compiles_and_makes_its_journey() {
    with_platform(async |platform| {
        let dir = platform.stack.options().root.join("clients/typescript");
        install_locked_npm(&dir, platform.stack.layout(), &mut Quiet).expect("npm ci");
        let product = platform.admin.product(1999, 10).await;
        let edge = platform.stack.edge_url();
        let outcome = tokio::task::spawn_blocking(move || {
            let tsc =
                Command::new("node_modules/.bin/tsc").current_dir(&dir).args(["-p", "."]).output();
            let tsc = tsc.expect("tsc runs");
            assert!(tsc.status.success(), "{}", String::from_utf8_lossy(&tsc.stdout));
            let mut node = Command::new("node");
            node.current_dir(&dir).args(["--test", "dist/test/"]);
            node.env("STOA_URL", edge).env("STOA_PRODUCT", product).output().expect("node runs")
        });
        let outcome = outcome.await.expect("it ends");
        let report = String::from_utf8_lossy(&outcome.stdout);
        assert!(outcome.status.success(), "{report}");
        assert!(report.contains("# pass 3"), "{report}");
    });
}
