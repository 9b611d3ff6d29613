//! The sandbox payment provider.

use std::process::ExitCode;

use sandbox::{app::App, config::Config};

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = runtime::settings();
    let telemetry = config.telemetry.clone();
    runtime::main("sandbox", &telemetry, async move |metrics, shutdown| {
        App::build(config, metrics).await?.run(shutdown).await
    })
    .await
}
