//! The payments service.

use std::process::ExitCode;

use payments::{app::App, config::Config};

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = runtime::settings();
    let telemetry = config.host.telemetry.clone();
    runtime::main("payments", &telemetry, async move |metrics, shutdown| {
        App::build(config, metrics).await?.run(shutdown).await
    })
    .await
}
