//! The orders service.

use std::process::ExitCode;

use orders::{app::App, config::Config};

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = runtime::settings();
    let telemetry = config.host.telemetry.clone();
    runtime::main("orders", &telemetry, async move |metrics, shutdown| {
        App::build(config, metrics).await?.run(shutdown).await
    })
    .await
}
