//! `serve`: a watched platform under traffic, for those who work on the page.
//! `screenshots`: the pictures of the documentation, taken anew.

use anyhow::Result;
use browser::{people, shop, spec, traffic};
use clap::Parser;

#[derive(Parser)]
enum Command {
    /// Runs the platform under traffic until Ctrl-C.
    Serve,
    /// Writes the pictures of the documentation.
    Screenshots,
}

#[tokio::main]
async fn main() -> Result<()> {
    match Command::parse() {
        Command::Serve => {
            let platform = shop::start("browser-serve").await;
            let _traffic = traffic::begin(&platform, 3).await;
            println!(
                "console {}\nedge {}",
                platform.stack.console_url(),
                platform.stack.edge_url()
            );
            let client = people::application(&platform).await;
            let (careful, key) = people::careful(&platform).await;
            println!("client {client}\ncareful {} {} {key}", careful.email, careful.password);
            tokio::signal::ctrl_c().await?;
        }
        Command::Screenshots => {
            let platform = shop::start("browser-pictures").await;
            let browser = spec::Browser::install(platform.stack.layout());
            let client = people::application(&platform).await;
            let customer = platform.anonymous().register().await;
            let _traffic = traffic::begin(&platform, 3).await;
            let more = [
                ("CLIENT", client),
                ("EMAIL", customer.email.clone()),
                ("PASSWORD", customer.password.clone()),
                ("OUT", shop::root().join("docs").display().to_string()),
            ];
            browser.run("screenshots.mjs", &platform, &more).await;
        }
    }
    Ok(())
}
