//! Real browsers: the console under traffic, and the pages where people sign in.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::LazyLock;

use browser::spec::Browser;
use browser::{people, shop, traffic};
use e2e::platform::Platform;
use tokio::runtime::Runtime;
use tokio::sync::{Mutex, OnceCell};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
static WORLD: OnceCell<Mutex<(Platform, Browser)>> = OnceCell::const_new();

/// Runs a test on the platform that they share, one after the other.
fn with_browser(test: impl AsyncFnOnce(&Platform, &Browser)) {
    RUNTIME.block_on(async {
        let world = WORLD.get_or_init(|| async {
            let platform = shop::start("browser").await;
            let browser = Browser::install(platform.stack.layout());
            Mutex::new((platform, browser))
        });
        let world = world.await.lock().await;
        test(&world.0, &world.1).await;
    });
}

#[test]
fn the_console_shows_traffic_a_checkout_across_the_broker_and_who_is_down() {
    with_browser(async |platform, browser| {
        let _traffic = traffic::begin(platform, 3).await;
        browser.run("console.mjs", platform, &[]).await;
        platform.stack.kill("inventory").expect("inventory runs");
        browser.run("console_down.mjs", platform, &[]).await;
        platform.stack.restart("inventory").expect("inventory starts");
        platform.ready("inventory").await;
    });
}

#[test]
fn people_sign_in_consent_and_sign_out_with_and_without_scripts_and_by_keyboard_alone() {
    with_browser(async |platform, browser| {
        let client = people::application(platform).await;
        let customers = [
            platform.anonymous().register().await,
            platform.anonymous().register().await,
            platform.anonymous().register().await,
        ];
        let (careful, key) = people::careful(platform).await;
        let emails: Vec<&str> = customers.iter().map(|c| c.email.as_str()).collect();
        let more = [
            ("CLIENT", client),
            ("EMAILS", emails.join(" ")),
            ("PASSWORD", careful.password.clone()),
            ("CAREFUL", careful.email.clone()),
            ("KEY", key),
        ];
        browser.run("signin.mjs", platform, &more).await;
    });
}
